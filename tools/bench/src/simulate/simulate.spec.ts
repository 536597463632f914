import { describe, expect, test } from 'vitest';
import type { Policy } from './policy.js';
import { corkDispatcher } from './policies/cork.js';
import { realDispatcher } from './policies/dispatcher.js';
import { fixedWindow } from './policies/fixed-window.js';
import { idleDispatch } from './policies/idle-dispatch.js';
import { maxQueueDelay } from './policies/max-queue-delay.js';
import { noBatching } from './policies/none.js';
import { oracle } from './policies/oracle.js';
import { anyWorker, leastOutstanding, roundRobin, spreadOver } from './policies/spread.js';
import type { Scenario } from './scenario.js';
import { simulate } from './simulate.js';

const all = [
  noBatching,
  fixedWindow(2),
  maxQueueDelay(1),
  corkDispatcher(),
  idleDispatch,
  realDispatcher,
  oracle,
];
const exact: Scenario = {
  name: 'test',
  cost: { fixedMs: 5, perRowMs: 0.05, noise: 0 },
  maxBatchSize: 100,
  load: { kind: 'poisson', perSecond: 100 },
  warmUpMs: 1000,
  measureMs: 4000,
  seed: 7,
};
const closed = (clients: number): Scenario => ({
  ...exact,
  load: { kind: 'closed', clients, returnMs: 0.3 },
  cost: { ...exact.cost, noise: 0.05 },
});

describe('the simulator', () => {
  test.each(all)('the same seed gives the same outcome, another seed another: $name', async (policy) => {
    const first = await simulate(exact, policy);
    expect(await simulate(exact, policy)).toEqual(first);
    expect((await simulate({ ...exact, seed: 8 }, policy)).meanMs).not.toBe(first.meanMs);
  });

  test.each(all)("Little's law holds: as many are inside as arrive in a stay: $name", async (policy) => {
    const { meanInSystem, perSecond, meanMs, refused } = await simulate(
      { ...exact, measureMs: 40_000 },
      policy,
    );
    expect(refused).toBe(0);
    expect(meanInSystem / ((perSecond * meanMs) / 1000)).toBeCloseTo(1, 2);
  });

  test('one by one with a constant cost waits as an M/D/1 queue does', async () => {
    const [rate, costMs] = [0.1, 5];
    const load = 0.5;
    const { meanMs } = await simulate(
      { ...exact, cost: { fixedMs: costMs, perRowMs: 0, noise: 0 }, measureMs: 400_000 },
      noBatching,
    );
    // Pollaczek–Khinchine: cost + rate · cost² / 2(1 − load), with 0.1 arrivals per millisecond.
    expect(meanMs / (costMs + (rate * costMs ** 2) / (2 * (1 - load)))).toBeCloseTo(1, 1);
  });

  test.each([noBatching, idleDispatch, realDispatcher, oracle])(
    'where hardly anybody comes, a request takes what a batch of one costs: $name',
    async (policy) => {
      const rare: Scenario = { ...exact, load: { kind: 'poisson', perSecond: 0.5 }, measureMs: 200_000 };
      const { p50Ms, meanMs } = await simulate(rare, policy);
      expect(p50Ms).toBeCloseTo(5.05, 6);
      expect(meanMs).toBeLessThan(5.1);
    },
  );

  test('a window adds itself to the latency of a lone request', async () => {
    const rare: Scenario = { ...exact, load: { kind: 'poisson', perSecond: 0.5 }, measureMs: 200_000 };
    expect((await simulate(rare, fixedWindow(2))).p50Ms).toBeCloseTo(7.05, 6);
    expect((await simulate(rare, maxQueueDelay(1))).p50Ms).toBeCloseTo(6.05, 6);
  });

  test('a policy that starts a batch while one runs is found out', async () => {
    const greedy: Policy = {
      name: 'greedy',
      create: (machine) => ({
        arrived: (request) => machine.start([request], 0),
        finished: () => undefined,
      }),
    };
    await expect(simulate({ ...exact, measureMs: 10_000 }, greedy)).rejects.toThrow(
      "'greedy' started 1 rows, worker free: false",
    );
  });
});

describe('the real dispatcher, in virtual time', () => {
  test.each([1, 4, 16, 64, 128])(
    'answers %i closed-loop clients as fast as any window, delay or idle dispatch, or faster',
    async (clients) => {
      const real = await simulate(closed(clients), realDispatcher);
      for (const rival of [
        fixedWindow(10),
        fixedWindow(2),
        maxQueueDelay(1),
        corkDispatcher(),
        idleDispatch,
      ]) {
        const { perSecond } = await simulate(closed(clients), rival);
        expect(real.perSecond, rival.name).toBeGreaterThanOrEqual(0.99 * perSecond);
      }
      expect(real.perSecond).toBeGreaterThan(0.98 * (await simulate(closed(clients), oracle)).perSecond);
    },
  );

  test('holds nobody under independent arrivals: it is idle dispatch there', async () => {
    const real = await simulate({ ...exact, load: { kind: 'poisson', perSecond: 2000 } }, realDispatcher);
    const idle = await simulate({ ...exact, load: { kind: 'poisson', perSecond: 2000 } }, idleDispatch);
    expect(real.meanMs / idle.meanMs).toBeCloseTo(1, 2);
  });
});

describe('the real dispatcher over four workers', () => {
  const four = { ...exact, workers: 4, cost: { ...exact.cost, noise: 0.05 } };
  const rivals = [
    idleDispatch,
    spreadOver('in turn', roundRobin, realDispatcher),
    spreadOver('any', anyWorker, realDispatcher),
    spreadOver('the least busy', leastOutstanding, realDispatcher),
  ];

  test.each([16, 64, 256])(
    'answers %i closed-loop clients as fast as a queue per worker',
    async (clients) => {
      const scenario = { ...four, load: { kind: 'closed' as const, clients, returnMs: 0.3 } };
      const { perSecond } = await simulate(scenario, realDispatcher);
      for (const rival of rivals) {
        expect(perSecond, rival.name).toBeGreaterThan(0.96 * (await simulate(scenario, rival)).perSecond);
      }
    },
  );

  test('is the fastest, as idle dispatch is, where requests are independent', async () => {
    const scenario = { ...four, load: { kind: 'poisson' as const, perSecond: 2000 } };
    const { meanMs } = await simulate(scenario, realDispatcher);
    for (const rival of rivals) {
      expect(meanMs, rival.name).toBeLessThan(1.02 * (await simulate(scenario, rival)).meanMs);
    }
  });

  test('spreads rows over free workers where it is the rows that cost', async () => {
    const steep = { ...four, cost: { fixedMs: 1, perRowMs: 1, noise: 0 }, maxBatchSize: 16 };
    const scenario = { ...steep, load: { kind: 'closed' as const, clients: 16, returnMs: 0.3 } };
    const { perSecond } = await simulate(scenario, realDispatcher);
    expect(perSecond).toBeGreaterThan(1.1 * (await simulate(scenario, idleDispatch)).perSecond);
  });
});

describe('the real dispatcher in overload', () => {
  test.each([
    [2, 25],
    [5, 25],
    [5, 100],
  ])(
    'at %i × capacity answers all it can within %i ms, and refuses the rest at once',
    async (times, deadlineMs) => {
      const load = { kind: 'poisson' as const, perSecond: times * 10_000 };
      const cost = { ...exact.cost, noise: 0.05 };
      const overload = { ...exact, cost, load, deadlineMs, warmUpMs: 1000, measureMs: 1000 };
      const { goodPerSecond, p99Ms, refusedP99Ms, executedExpired } = await simulate(
        overload,
        realDispatcher,
      );
      expect(goodPerSecond).toBeGreaterThan(9500);
      expect(p99Ms).toBeLessThanOrEqual(deadlineMs);
      expect(refusedP99Ms).toBe(0);
      expect(executedExpired).toBe(0);
    },
  );

  test('serves high priority as if there were no overload', async () => {
    const load = { kind: 'poisson' as const, perSecond: 15_000 };
    const priorities = { high: 0.1, low: 0.3 };
    const overload = { ...exact, load, priorities, deadlineMs: 200, warmUpMs: 1000, measureMs: 1000 };
    const { meanMsBy, goodPerSecond } = await simulate(overload, realDispatcher);
    expect(meanMsBy.high).toBeLessThan(20);
    expect(goodPerSecond).toBeGreaterThan(9500);
  });
});

describe('a lone client right after a burst', () => {
  test('is served as if nobody had been there before him', async () => {
    const load = { kind: 'closed' as const, clients: 64, returnMs: 0.3, staying: 1 };
    const { p50Ms, p99Ms } = await simulate({ ...exact, load }, realDispatcher);
    expect(p50Ms).toBeCloseTo(5.05, 6);
    expect(p99Ms).toBeCloseTo(5.05, 6);
  });
});

describe("BentoML's dispatcher, as described", () => {
  test('refuses the oldest when the queue is later than its longest latency', async () => {
    const overload: Scenario = { ...exact, maxBatchSize: 10, load: { kind: 'poisson', perSecond: 2500 } };
    const { refused, perSecond, p99Ms } = await simulate(
      { ...overload, warmUpMs: 5000 },
      corkDispatcher(100),
    );
    expect(refused).toBeGreaterThan(0);
    expect(perSecond).toBeLessThan(1000 * (10 / 5.5) + 1);
    expect(p99Ms).toBeLessThan(200);
  });
});
