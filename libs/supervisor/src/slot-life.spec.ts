import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { KillReason, SupervisorEvent } from './events.js';
import { compilePlan } from './plan.js';
import type { ProcessExit, ProcessListener } from './process/worker-process.js';
import type { Seat, SlotHost, SlotProcess } from './slot-host.js';
import { HOLD_MS, Slot } from './slot.js';
import type { ProcessState } from './states.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A process that does what the test says. */
class FakeProcess implements SlotProcess {
  state: ProcessState = 'starting';
  readonly watcher = 'web';
  readonly name = 'worker 1';
  readonly startTookMs = 1;
  readonly isSpare = false;
  readonly workerId: number;
  readonly generation: number;
  readonly pid: number;
  #readyAt: number | undefined;
  #wasAsked = false;

  constructor(
    { workerId, generation }: Seat,
    private readonly listener: ProcessListener<FakeProcess>,
  ) {
    this.workerId = workerId;
    this.generation = generation;
    this.pid = generation;
  }

  beReady(): void {
    if (this.state !== 'starting') return;
    this.state = 'ready';
    this.#readyAt = performance.now();
    this.listener.onReady(this, null);
  }

  drain(): void {
    this.#wasAsked = true;
    if (this.state !== 'starting' && this.state !== 'ready') return;
    this.state = 'draining';
    this.listener.onDraining(this);
  }

  kill(reason: KillReason): void {
    this.listener.onKilled(this, reason);
    this.exit();
  }

  /** `left`: it ended cleanly on somebody else's signal. */
  exit({ left = false } = {}): void {
    if (this.state === 'exited') return;
    this.state = 'exited';
    const asked = this.#wasAsked;
    const exit: ProcessExit = {
      ...{ code: 1, signal: null, livedMs: 1, drainMs: undefined, error: undefined },
      ...{ reason: asked ? 'asked' : 'crashed', asked, left: left && !asked },
      readyForMs: this.#readyAt === undefined ? 0 : performance.now() - this.#readyAt,
    };
    this.listener.onExit(this, exit);
  }
}

/** A worker number whose processes and clock are the test's. */
class World implements SlotHost<FakeProcess> {
  readonly spawned: FakeProcess[] = [];
  readonly events: SupervisorEvent[] = [];
  readonly slot: Slot<FakeProcess>;
  hasEnded = false;

  constructor(onCrashLoop: 'keep' | 'stop' = 'keep') {
    const [config] = compilePlan({
      name: 'test',
      sockets: [],
      watchers: [{ name: 'web', entry: '/worker.js', numProcesses: 1, restart: { onCrashLoop } }],
    }).watchers;
    if (config === undefined) throw new Error('no watcher');
    this.slot = new Slot(1, config, this);
  }

  get living(): readonly FakeProcess[] {
    return this.spawned.filter(({ state }) => state !== 'exited');
  }

  spawn(seat: Seat, listener: ProcessListener<FakeProcess>): FakeProcess {
    const process = new FakeProcess(seat, listener);
    this.spawned.push(process);
    return process;
  }
  employ = (): boolean => false;
  emit(event: SupervisorEvent): void {
    this.events.push(event);
  }
  onMessage = (): void => undefined;
  onReady = (): void => undefined;
  onGone = (): void => undefined;
  onCrashLoop(): void {
    this.hasEnded = true;
  }
  retire(process: FakeProcess): Promise<void> {
    process.drain();
    return Promise.resolve();
  }
}

async function started(onCrashLoop?: 'keep' | 'stop'): Promise<World> {
  const world = new World(onCrashLoop);
  const start = world.slot.start();
  world.spawned[0]?.beReady();
  await start;
  return world;
}

describe('the life of a worker number, on a clock of its own', () => {
  test('a crash is answered in the same moment, one that a signal from outside asked for after the hold', async () => {
    const world = await started();
    world.spawned[0]?.exit();
    expect(world.spawned).toHaveLength(2);
    world.spawned[1]?.beReady();
    world.spawned[1]?.exit({ left: true });
    expect(world.slot.state).toBe('held');
    vi.advanceTimersByTime(HOLD_MS - 1);
    expect(world.spawned).toHaveLength(2);
    vi.advanceTimersByTime(1);
    expect(world.spawned).toHaveLength(3);
  });

  test('a successor that is killed because it does not get ready is followed by another', async () => {
    const world = await started();
    world.spawned[0]?.exit();
    world.spawned[1]?.kill('not ready in time');
    expect(world.slot.state).toBe('backing-off');
    vi.advanceTimersByTime(120);
    expect(world.slot.state).toBe('starting');
    world.spawned[2]?.beReady();
    expect(world.slot.state).toBe('ready');
  });

  test('policy stop: after the crash loop nothing is started any more', async () => {
    const world = await started('stop');
    while (!world.hasEnded) {
      world.living[0]?.exit();
      vi.runOnlyPendingTimers();
    }
    expect(world.slot.state).toBe('crash-looping');
    vi.advanceTimersByTime(1e9);
    expect(world.living).toEqual([]);
    expect(world.spawned).toHaveLength(6);
  });

  const step = fc.oneof(
    { weight: 3, arbitrary: fc.constant('ready' as const) },
    { weight: 3, arbitrary: fc.constantFrom('crash', 'leave', 'kill', 'gone') },
    { weight: 2, arbitrary: fc.nat(40_000) },
    { weight: 1, arbitrary: fc.constantFrom('reload', 'restart') },
  );

  test('whatever happens: no forbidden move, at most two processes, each told once, and it comes back', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const world = await started();
        let command: Promise<unknown> | undefined;
        for (const what of steps) {
          const [one] = world.living;
          const newest = world.living.at(-1);
          // A move that the table lacks throws out of whatever caused it.
          if (typeof what === 'number') vi.advanceTimersByTime(what);
          else if (what === 'ready') newest?.beReady();
          else if (what === 'crash') newest?.exit();
          else if (what === 'leave') one?.exit({ left: true });
          else if (what === 'kill') one?.kill('heartbeat stopped');
          else if (what === 'gone') world.living.find(({ state }) => state === 'draining')?.exit();
          else {
            // Commands are given one at a time: the watcher queues them.
            command ??= (what === 'reload' ? world.slot.replace('reload') : world.slot.restart())
              .catch(() => undefined)
              .then(() => (command = undefined));
          }
          await vi.advanceTimersByTimeAsync(0);
          expect(world.living.filter(({ state }) => state === 'ready').length).toBeLessThanOrEqual(1);
        }
        // From now on every process is well: the number is served again, whatever was.
        for (let round = 0; round < 4; round += 1) {
          for (const process of world.living) if (process.state === 'draining') process.exit();
          await vi.advanceTimersByTimeAsync(20_000);
          world.living.at(-1)?.beReady();
          await vi.advanceTimersByTimeAsync(0);
        }
        expect(world.slot.state).toBe('ready');
        expect(world.slot.current?.state).toBe('ready');
        world.slot.beginStop(1000, false);
        for (const process of world.living) process.exit();
        expect(world.slot.state).toBe('stopped');
        await vi.advanceTimersByTimeAsync(1e6);
        expect(world.living).toEqual([]);
        const exits = world.events.filter(({ type }) => type === 'worker-exited');
        expect(exits).toHaveLength(world.spawned.length);
      }),
      { numRuns: 300 },
    );
  });
});
