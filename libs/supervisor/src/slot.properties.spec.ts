import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FakeSlot, slotConfig } from '../test/fake-slot.js';

const NEW = slotConfig({ env: { VERSION: '2' } });

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Lets everything happen that waits for nothing but its turn. */
const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

type Step =
  | { readonly do: 'replace' | 'renew' | 'recycle' | 'restart' }
  | { readonly do: 'ready' | 'crash' | 'left' | 'leaving' | 'hang'; readonly which: number }
  | { readonly do: 'wait'; readonly ms: number };

const commands = ['replace', 'renew', 'recycle', 'restart'] as const;
const deeds = ['crash', 'left', 'leaving', 'hang'] as const;
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom(...commands) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('ready' as const), which: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom(...deeds), which: fc.nat(3) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1, 200, 600, 20_000) }),
  },
);

async function take(fake: FakeSlot, one: Step): Promise<void> {
  if (one.do === 'wait') await vi.advanceTimersByTimeAsync(one.ms);
  else if (one.do === 'replace') void fake.command((slot) => slot.replace('reload'));
  else if (one.do === 'renew') void fake.command((slot) => slot.replace('reload', NEW));
  else if (one.do === 'recycle') void fake.command((slot) => slot.replace('max-age'));
  else if (one.do === 'restart') void fake.command((slot) => slot.restart());
  else if ('which' in one) {
    const process = fake.alive[one.which % Math.max(1, fake.alive.length)];
    if (one.do === 'ready') process?.becomeReady();
    else if (one.do === 'leaving') process?.leave();
    else if (one.do === 'hang') process?.kill('heartbeat stopped');
    else process?.exit(one.do === 'left' ? 'left' : 'crashed');
  }
  await settle();
}

/** What holds at every moment. */
function checkNow(fake: FakeSlot): void {
  const { slot, alive } = fake;
  expect(fake.mistakes).toEqual([]);
  const workers = alive.filter(({ isSpare }) => !isSpare);
  expect(workers.length).toBeLessThanOrEqual(2);
  expect(workers.filter(({ state }) => state === 'ready').length).toBeLessThanOrEqual(
    1 + Math.sign(fake.waiting),
  );
  // The word for the worker is that of its process.
  if (slot.current === undefined) expect(['starting', 'ready', 'draining']).not.toContain(slot.state);
  else expect(slot.state).toBe(slot.current.state);
  if (fake.waiting > 0) return;
  // No command runs: there is one process at most, and one that waits for nobody's doing.
  expect(workers.length).toBeLessThanOrEqual(1);
  expect(workers[0]).toBe(slot.current);
  if (slot.current === undefined)
    expect(['held', 'backing-off', 'crash-looping', 'stopped']).toContain(slot.state);
}

/** What holds when all is over. */
function checkEnd(fake: FakeSlot): void {
  expect(fake.slot.state).toBe('stopped');
  expect(fake.alive).toEqual([]);
  expect(fake.waiting).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
  const generations = (type: string): number[] =>
    fake.events.flatMap((event) => (event.type === type && 'generation' in event ? [event.generation] : []));
  const started = generations('worker-started');
  expect(new Set(started).size).toBe(started.length);
  expect(generations('worker-exited').toSorted()).toEqual(started.toSorted());
  const last = new Map<number, string>();
  for (const event of fake.events) {
    if (!('generation' in event) || event.type === 'worker-restarting' || event.type === 'crash-loop')
      continue;
    expect(last.get(event.generation)).not.toBe('worker-exited');
    last.set(event.generation, event.type);
  }
}

describe('a worker number, whatever is asked of it and whatever happens', () => {
  const keep = fc.constantFrom<'keep' | 'stop'>('keep', 'stop');
  const steps = fc.array(step, { maxLength: 40 });
  const ends = fc.constantFrom<'stop' | 'force' | 'end'>('stop', 'force', 'end');

  test('makes allowed moves only, has one process after a command, and ends each of them once', async () => {
    await fc.assert(
      fc.asyncProperty(keep, fc.boolean(), steps, ends, async (onCrashLoop, spare, todo, end) => {
        const restart = { maxCrashes: 2, onCrashLoop, initialDelayMs: 100 };
        const fake = new FakeSlot(slotConfig({ restart, spare }));
        void fake.command((slot) => slot.start());
        await settle();
        fake.spawned[0]?.becomeReady();
        await settle();
        for (const one of todo) {
          await take(fake, one);
          checkNow(fake);
        }
        if (end === 'stop') fake.slot.beginStop(0, false);
        else if (end === 'force') fake.slot.force();
        else {
          // The watcher gives this command; until its turn comes, processes get ready as they do.
          const ended = fake.command((slot) => slot.end());
          for (let round = 0; round < 200 && fake.waiting > 1; round += 1) {
            for (const process of fake.alive) if (process.state === 'draining') process.exit('crashed');
            for (const process of fake.alive) process.becomeReady();
            await settle();
          }
          void ended;
        }
        await settle();
        for (const process of fake.alive) process.exit('crashed');
        await settle();
        expect(fake.mistakes).toEqual([]);
        checkEnd(fake);
      }),
      { numRuns: 500 },
    );
  });

  test('a first process that ends before it is ready is not tried again, and the command says why', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('crashed' as const, 'left' as const), async (how) => {
        const fake = new FakeSlot(slotConfig());
        const started = fake.command((slot) => slot.start());
        await settle();
        fake.spawned[0]?.exit(how);
        expect(await started).toBe('refused');
        expect(fake.slot.state).toBe('failed');
        await vi.advanceTimersByTimeAsync(60_000);
        expect(fake.spawned).toHaveLength(1);
      }),
    );
  });

  test('processes have the new configuration from the moment that one of them got ready with it', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (todo) => {
        const fake = new FakeSlot(slotConfig({ restart: { onCrashLoop: 'keep' } }));
        void fake.command((slot) => slot.start());
        await settle();
        fake.spawned[0]?.becomeReady();
        for (const one of todo) {
          const [before, wasTaken] = [fake.spawned.length, isRenewed(fake)];
          await take(fake, one);
          if (wasTaken) expect(fake.spawned.slice(before).every(({ config }) => config === NEW)).toBe(true);
        }
        fake.slot.force();
        for (const process of fake.alive) process.exit('crashed');
        await settle();
      }),
    );
  });
});

function isRenewed(fake: FakeSlot): boolean {
  const ready = new Set(
    fake.events.flatMap((event) => (event.type === 'worker-ready' ? [event.generation] : [])),
  );
  return fake.spawned.some(({ config, generation }) => config === NEW && ready.has(generation));
}
