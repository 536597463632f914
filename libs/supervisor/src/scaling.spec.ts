import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileScaling, decideScale, type LoadSample, type ScalingOptions } from './scaling.js';

const WATCHER = { numProcesses: 2, singleton: false, maxProcesses: 1024 };
const OPTIONS = { min: 1, max: 8, maxQueueDelayMs: 100 };
const CONFIG = compileScaling(OPTIONS, WATCHER, 'here');
const NOW = 1_000_000;

/** One sample a second for the last `seconds`, all alike. */
function load(seconds: number, utilization: number, queueDelayMs?: number): LoadSample[] {
  return Array.from({ length: seconds + 1 }, (_, index) => ({
    atMs: NOW - (seconds - index) * 1000,
    utilization,
    queueDelayMs,
  }));
}

const decide = (workers: number, samples: readonly LoadSample[], changedAtMs = 0): number =>
  decideScale(CONFIG, { workers, changedAtMs, samples }, NOW);

describe('options', () => {
  test('have defaults', () => {
    expect(compileScaling({ min: 1, max: 4 }, WATCHER, 'here')).toEqual({
      ...{ min: 1, max: 4, targetUtilization: 0.7, maxQueueDelayMs: Infinity },
      ...{ upAfterMs: 5000, downAfterMs: 60_000, coolDownMs: 20_000 },
    });
  });

  test.each<[ScalingOptions, string]>([
    [{ min: 0, max: 4 }, 'here: scaling.min is 0; expected a whole number from 1'],
    [{ min: 3, max: 2 }, 'here: scaling.max is 2; expected a whole number from min (3) to 1024'],
    [{ min: 1, max: 1025 }, 'here: scaling.max is 1025'],
    [{ min: 3, max: 4 }, 'here: numProcesses is 2; scaling keeps it from 3 to 4'],
    [{ min: 1, max: 4, targetUtilization: 1 }, 'here: scaling.targetUtilization is 1'],
    [{ min: 1, max: 4, upAfterMs: -1 }, 'here: scaling.upAfterMs is -1; expected a number from 0'],
  ])('%j is refused', (options, message) => {
    expect(() => compileScaling(options, WATCHER, 'here')).toThrow(message);
  });

  test('a singleton has no scaling', () => {
    const singleton = { ...WATCHER, numProcesses: 1, singleton: true };
    expect(() => compileScaling({ min: 1, max: 2 }, singleton, 'here')).toThrow('here is a singleton');
  });
});

describe('more workers', () => {
  test('when all were busy for long enough: so many that they would be on target', () => {
    expect(decide(2, load(5, 0.95))).toBe(3);
    expect(decide(4, load(5, 1))).toBe(6);
    expect(decide(2, load(5, 0.71))).toBe(3);
  });

  test('when work waits for too long, however idle the event loops', () => {
    expect(decide(2, load(5, 0.1, 101))).toBe(3);
    expect(decide(2, load(5, 0.1, 100))).toBe(2);
  });

  test('not for a peak that is shorter, or interrupted', () => {
    expect(decide(2, load(4, 1))).toBe(2);
    const interrupted = load(60, 1).map((sample, index) =>
      index === 58 ? { ...sample, utilization: 0.5 } : sample,
    );
    expect(decide(2, interrupted)).toBe(2);
  });

  test('never above max', () => {
    expect(decide(7, load(5, 1))).toBe(8);
    expect(decide(8, load(5, 1))).toBe(8);
  });
});

describe('one worker less', () => {
  test('when the others would stay well below the target for long enough', () => {
    expect(decide(4, load(60, 0.1))).toBe(3);
    expect(decide(4, load(59, 0.1))).toBe(4);
    // Of 4 workers at 0.45, 3 would be at 0.6: below the target of 0.7, but not well below.
    expect(decide(4, load(60, 0.45))).toBe(4);
  });

  test('not while work waits, nor below min', () => {
    expect(decide(4, load(60, 0.1, 90))).toBe(4);
    expect(decide(1, load(60, 0))).toBe(1);
  });
});

describe('time', () => {
  test('after a change nothing happens while it cools down, and older samples do not count', () => {
    expect(decide(2, load(60, 1), NOW - 19_999)).toBe(2);
    expect(decide(2, load(60, 1), NOW - 20_000)).toBe(3);
    expect(decide(4, load(90, 0.1), NOW - 40_000)).toBe(4);
  });

  test('without samples nothing happens, and a number out of bounds is brought back at once', () => {
    expect(decide(2, [])).toBe(2);
    expect(decide(9, [], NOW)).toBe(8);
  });
});

describe('properties', () => {
  const sample = fc.record({
    atMs: fc.integer({ min: NOW - 120_000, max: NOW }),
    utilization: fc.double({ min: 0, max: 1, noNaN: true }),
    queueDelayMs: fc.option(fc.integer({ min: 0, max: 1000 }), { nil: undefined }),
  });
  const history = fc.record({
    workers: fc.integer({ min: 1, max: 12 }),
    changedAtMs: fc.integer({ min: NOW - 120_000, max: NOW }),
    samples: fc.array(sample).map((all) => all.toSorted((a, b) => a.atMs - b.atMs)),
  });

  test('the answer is within the bounds, and moves down by one at most', () => {
    fc.assert(
      fc.property(history, (given) => {
        const wanted = decideScale(CONFIG, given, NOW);
        expect(wanted).toBeGreaterThanOrEqual(CONFIG.min);
        expect(wanted).toBeLessThanOrEqual(CONFIG.max);
        expect(wanted).toBeGreaterThanOrEqual(Math.min(given.workers - 1, CONFIG.max));
      }),
    );
  });

  test('a load that does not change is not answered with more and then with less', () => {
    const total = fc.double({ min: 0, max: 6, noNaN: true });
    fc.assert(
      fc.property(total, fc.integer({ min: 1, max: 8 }), (work, start) => {
        const numbers = [start];
        for (let round = 0; round < 20; round += 1) {
          const workers = numbers.at(-1) ?? start;
          numbers.push(decide(workers, load(60, Math.min(1, work / workers))));
        }
        const steps = numbers.slice(1).map((value, index) => Math.sign(value - (numbers[index] ?? value)));
        expect(new Set(steps.filter((step) => step !== 0)).size).toBeLessThanOrEqual(1);
        expect(steps.at(-1)).toBe(0);
      }),
    );
  });
});
