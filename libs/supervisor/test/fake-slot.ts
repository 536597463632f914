import { ServeError } from '@bentots/errors';
import { CommandQueue } from '../src/command-queue.js';
import type { ExitReason, KillReason, SupervisorEvent } from '../src/events.js';
import { compilePlan, type WatcherConfig, type WatcherSpec } from '../src/plan.js';
import type { ProcessListener } from '../src/process/worker-process.js';
import { Slot } from '../src/slot.js';
import type { Seat, SlotHost, SlotProcess } from '../src/slot-host.js';
import { PROCESS_MOVES, type ProcessState, StateBox } from '../src/states.js';

/** A checked configuration for a slot that runs no program. */
export function slotConfig(spec: Partial<WatcherSpec> = {}): WatcherConfig {
  const watcher = { name: 'web', entry: '/nowhere.js', numProcesses: 1, ...spec };
  const [config] = compilePlan({ name: 'test', sockets: [], watchers: [watcher] }).watchers;
  if (config === undefined) throw new Error('a plan of one watcher has one');
  return config;
}

/** A process that does what the test says, within the moves that a process has. */
export class FakeProcess implements SlotProcess {
  readonly watcher = 'web';
  readonly name = 'a fake process';
  readonly startTookMs = 1;
  readonly workerId: number;
  readonly generation: number;
  readonly pid: number;
  readonly config: WatcherConfig;
  isSpare: boolean;
  readonly #states: StateBox<ProcessState>;
  #asked = false;
  #readyAt: number | undefined;
  #killedFor: KillReason | undefined;
  #gone: () => void = () => undefined;
  readonly exited = new Promise<void>((resolve) => (this.#gone = resolve));

  constructor(
    seat: Seat,
    private readonly listener: ProcessListener<FakeProcess>,
  ) {
    this.workerId = seat.workerId;
    this.generation = seat.generation;
    this.pid = 1000 + seat.generation;
    this.config = seat.config;
    this.isSpare = seat.isSpare;
    this.#states = new StateBox(`process ${seat.generation}`, PROCESS_MOVES, 'starting', (state) => {
      if (state === 'draining') listener.onDraining(this);
    });
  }

  get state(): ProcessState {
    return this.#states.state;
  }

  drain(): void {
    this.#asked = true;
    if (this.#states.is('starting', 'ready')) this.#states.setState('draining');
  }

  kill(reason: KillReason): void {
    if (this.#states.is('exited')) return;
    if (reason === 'forced') this.#asked = true;
    this.#killedFor ??= reason;
    this.listener.onKilled(this, reason);
  }

  /** It says that it is ready, if it can. */
  becomeReady(): void {
    if (!this.#states.is('starting') || this.isSpare) return;
    this.#readyAt = performance.now();
    this.#states.setState('ready');
    this.listener.onReady(this, null);
  }

  /** Somebody else told it to stop. */
  leave(): void {
    this.listener.onMessage(this, { supervisor: 'leaving' });
  }

  /** It ends; `left`: on a signal from outside. */
  exit(how: 'crashed' | 'left'): void {
    if (this.#states.is('exited')) return;
    this.#states.setState('exited');
    const left = how === 'left' && !this.#asked;
    const reason: ExitReason = this.#killedFor ?? (this.#asked ? 'asked' : how);
    const readyForMs = this.#readyAt === undefined ? 0 : performance.now() - this.#readyAt;
    const error = this.#asked ? undefined : new ServeError('worker_not_ready', `${this.name} ${how}`);
    const times = { livedMs: 1, drainMs: undefined, readyForMs };
    this.listener.onExit(this, { code: 0, signal: null, reason, asked: this.#asked, left, error, ...times });
    this.#gone();
  }
}

/** A slot whose processes are {@link FakeProcess}es, with the queue of commands that its watcher would have. */
export class FakeSlot implements SlotHost<FakeProcess> {
  readonly spawned: FakeProcess[] = [];
  readonly events: SupervisorEvent[] = [];
  /** What commands threw that no command may throw: mistakes of the machine. */
  readonly mistakes: unknown[] = [];
  readonly slot: Slot<FakeProcess>;
  readonly #queue = new CommandQueue();
  waiting = 0;

  constructor(config: WatcherConfig) {
    this.slot = new Slot(1, config, this);
  }

  get alive(): readonly FakeProcess[] {
    return this.spawned.filter(({ state }) => state !== 'exited');
  }

  /** Gives a command, when the earlier ones have ended; says what became of it. */
  async command(run: (slot: Slot<FakeProcess>) => Promise<void>): Promise<'done' | 'refused'> {
    this.waiting += 1;
    try {
      await this.#queue.run(() => run(this.slot));
      return 'done';
    } catch (error) {
      if (!(error instanceof ServeError)) this.mistakes.push(error);
      return 'refused';
    } finally {
      this.waiting -= 1;
    }
  }

  spawn(seat: Seat, listener: ProcessListener<FakeProcess>): FakeProcess {
    const process = new FakeProcess(seat, listener);
    this.spawned.push(process);
    return process;
  }

  employ(spare: FakeProcess): boolean {
    if (spare.state !== 'starting') return false;
    spare.isSpare = false;
    return true;
  }

  emit(event: SupervisorEvent): void {
    this.events.push(event);
  }
  onMessage(): void {
    // Messages are the watcher's.
  }
  onReady(): void {
    // Sockets are the watcher's.
  }
  onGone(): void {
    // So are parcels.
  }
  onCrashLoop(): void {
    queueMicrotask(() => this.slot.beginStop(0, false));
  }

  retire(process: FakeProcess): Promise<void> {
    process.drain();
    return process.exited;
  }
}
