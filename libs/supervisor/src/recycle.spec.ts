import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { ask, get, Load } from '../test/load.js';
import { endTrees, eventually, httpPlan, Tree } from '../test/tree.js';
import { compileRecycle, type RecycleReason, recycleReason, rollLimits, type Wear } from './recycle.js';
import { RECYCLE_PAUSE_MS, Recycler, type Wearing } from './recycler.js';

afterEach(endTrees);

const NONE = { maxRequests: Infinity, maxAgeMs: Infinity, maxRssBytes: Infinity };
const FRESH: Wear = { limits: NONE, isSpent: false, readyForMs: 1, rssBytes: 1 };

describe('limits', () => {
  test('are off unless given', () => {
    expect(compileRecycle({}, 'here')).toEqual({ ...NONE, recycleJitter: 0.1 });
    expect(rollLimits(compileRecycle({}, 'here'), () => 0.99)).toEqual(NONE);
  });

  test.each([
    [{ maxRequests: 0 }, 'here: maxRequests is 0; expected a whole number from 1'],
    [{ maxAgeMs: 1.5 }, 'here: maxAgeMs is 1.5'],
    [{ maxRssBytes: -1 }, 'here: maxRssBytes is -1'],
    [{ recycleJitter: 1.1 }, 'here: recycleJitter is 1.1; expected 0 to 1'],
  ])('%o is refused', (options, message) => {
    expect(() => compileRecycle(options, 'here')).toThrow(message);
  });

  test('of a process are shortened by up to the jitter, never lengthened, and memory not at all', () => {
    const limit = fc.integer({ min: 1, max: 1e9 });
    const fraction = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
    fc.assert(
      fc.property(limit, fraction, fraction, (max, recycleJitter, dice) => {
        const config = compileRecycle(
          { maxRequests: max, maxAgeMs: max, maxRssBytes: max, recycleJitter },
          '',
        );
        const limits = rollLimits(config, () => dice);
        expect(limits.maxRssBytes).toBe(max);
        for (const rolled of [limits.maxRequests, limits.maxAgeMs]) {
          expect(Number.isInteger(rolled)).toBe(true);
          expect(rolled).toBeLessThanOrEqual(max);
          expect(rolled).toBeGreaterThanOrEqual(Math.max(1, Math.floor(max * (1 - recycleJitter))));
        }
      }),
    );
  });

  test.each<[Partial<Wear>, RecycleReason | undefined]>([
    [{}, undefined],
    [{ isSpent: true }, 'max-requests'],
    [{ limits: { ...NONE, maxAgeMs: 2 } }, undefined],
    [{ limits: { ...NONE, maxAgeMs: 1 } }, 'max-age'],
    [{ limits: { ...NONE, maxRssBytes: 1 } }, undefined],
    [{ limits: { ...NONE, maxRssBytes: 0.5 } }, 'memory'],
    [{ limits: { ...NONE, maxRssBytes: 0.5 }, rssBytes: undefined }, undefined],
  ])('%j: %s', (wear, reason) => {
    expect(recycleReason({ ...FRESH, ...wear })).toBe(reason);
  });
});

describe('the recycler', () => {
  const spent = (workerId: number): Wearing => ({ ...FRESH, workerId, isSpent: true });
  const fat = (workerId: number): Wearing => ({
    ...FRESH,
    workerId,
    limits: { ...NONE, maxRssBytes: 0.5 },
  });

  test('asks once for each process, while that takes and after it', async () => {
    const asked: Wearing[] = [];
    const recycler = new Recycler<Wearing>(async (process) => void asked.push(process));
    const [one, two] = [spent(1), spent(2)];
    recycler.check([one, { ...FRESH, workerId: 3 }], 0);
    recycler.check([one, two], 1e9);
    await Promise.resolve();
    recycler.check([one, two], 2e9);
    expect(asked).toEqual([one, two]);
  });

  test('asks again a while after it failed', async () => {
    const asked: number[] = [];
    const recycler = new Recycler<Wearing>(async ({ workerId }) => {
      asked.push(workerId);
      throw new Error('the successor failed');
    });
    const one = spent(1);
    recycler.check([one], performance.now());
    await new Promise((resolve) => setImmediate(resolve));
    const failedAt = performance.now();
    recycler.check([one], failedAt + RECYCLE_PAUSE_MS - 1000);
    expect(asked).toEqual([1]);
    recycler.check([one], failedAt + RECYCLE_PAUSE_MS + 1000);
    expect(asked).toEqual([1, 1]);
  });

  test('leaves a pause between two processes of one worker that are both over the memory ceiling', () => {
    const asked: Wearing[] = [];
    const recycler = new Recycler<Wearing>(async (process) => void asked.push(process));
    const processes = [fat(1), fat(1), fat(2)] as const;
    recycler.check([processes[0], processes[2]], 1000);
    recycler.check([processes[1]], 1000 + RECYCLE_PAUSE_MS - 1);
    expect(asked).toEqual([processes[0], processes[2]]);
    recycler.check([processes[1]], 1000 + RECYCLE_PAUSE_MS);
    expect(asked).toEqual([processes[0], processes[2], processes[1]]);
  });
});

describe('a worker over a limit is replaced, start first, and it is no crash', () => {
  const addressOf = (tree: Tree) => {
    const [socket] = tree.sockets;
    if (socket === undefined) throw new Error('the tree has no socket');
    return socket.address;
  };

  async function expectRecycled(tree: Tree, reason: RecycleReason): Promise<void> {
    await tree.event('worker-exited', ({ generation }) => generation === 1);
    const steps = tree.events.flatMap((event) =>
      'generation' in event ? [`${event.generation} ${event.type.slice(7)}`] : [],
    );
    expect(steps.slice(2, 7)).toEqual(['2 started', '2 restarting', '2 ready', '1 draining', '1 exited']);
    expect(await tree.event('worker-restarting')).toMatchObject({ reason, delayMs: 0 });
    const [watcher] = (await tree.ask('status')).watchers;
    expect(watcher?.workers.map((worker) => Object.keys(worker.restartsByReason))).toEqual([[reason]]);
    tree.kill('SIGTERM');
    expect(await tree.exited).toBe(0);
  }

  test('max-requests: exactly after so many', async () => {
    const tree = await Tree.start(httpPlan({ numProcesses: 1, maxRequests: 5, recycleJitter: 0 }));
    for (let count = 0; count < 4; count += 1) await ask(addressOf(tree));
    expect(tree.events.filter(({ type }) => type === 'worker-restarting')).toEqual([]);
    await ask(addressOf(tree));
    await expectRecycled(tree, 'max-requests');
  });

  test('max-age', async () => {
    const maxAgeMs = 1500;
    const tree = await Tree.start(httpPlan({ numProcesses: 1, maxAgeMs, recycleJitter: 0 }));
    const exit = await tree.event('worker-exited');
    expect(exit.livedMs).toBeGreaterThan(maxAgeMs);
    await expectRecycled(tree, 'max-age');
  });

  test('memory', async () => {
    const tree = await Tree.start(httpPlan({ numProcesses: 1, maxRssBytes: 300 * 2 ** 20 }));
    await get(addressOf(tree), '/hog?mb=300');
    await expectRecycled(tree, 'memory');
  });

  test('one at a time, without a failed request', async () => {
    const tree = await Tree.start(httpPlan({ numProcesses: 3, maxRequests: 40 }, { accept: 'balanced' }));
    const loads = (['close', 'keep-alive'] as const).map((kind) => new Load(addressOf(tree), kind, 4));
    await tree.event('worker-restarting', () => true, 6);
    await Promise.all(loads.map((load) => load.end()));
    expect(loads.flatMap((load) => load.failures)).toEqual([]);
    await eventually(async () =>
      (await tree.ask('status')).watchers.every(({ workers }) =>
        workers.every(({ state }) => state === 'ready'),
      ),
    );
    const alive = { now: 0, most: 0 };
    for (const { type } of tree.events) {
      if (type === 'worker-started') alive.now += 1;
      if (type === 'worker-exited') alive.now -= 1;
      alive.most = Math.max(alive.most, alive.now);
    }
    expect(alive.most).toBe(4);
    tree.kill('SIGTERM');
    expect(await tree.exited).toBe(0);
  });

  test('a successor that fails leaves the old worker, and says so', async () => {
    const data = { failFromGeneration: 2 };
    const tree = await Tree.start(httpPlan({ numProcesses: 1, maxRequests: 1, data }));
    const { pid } = await ask(addressOf(tree));
    expect(await tree.event('warning')).toMatchObject({
      message: expect.stringContaining("worker 1 of 'web' stays over its limit (max-requests)"),
    });
    expect(await ask(addressOf(tree))).toMatchObject({ pid });
    expect(tree.events.filter(({ type }) => type === 'crash-loop')).toEqual([]);
    tree.kill('SIGTERM');
    expect(await tree.exited).toBe(0);
  });
});
