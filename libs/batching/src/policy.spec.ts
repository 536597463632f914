import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decide, type PolicyFacts } from './policy.js';

const idle: PolicyFacts = {
  now: 100,
  freeWorkers: 1,
  held: false,
  queuedRows: 3,
  maxBatchSize: 8,
  closing: false,
  cost: { fixedMs: 10, perRowMs: 0.1 },
  habit: { share: 0, returnMs: 0 },
  last: undefined,
};
const closedLoop: PolicyFacts = {
  ...idle,
  habit: { share: 1, returnMs: 1 },
  last: { at: 100, answered: 4, arrived: 1 },
};

describe('policy', () => {
  test('rests while a batch runs, and while nothing waits', () => {
    expect(decide({ ...idle, freeWorkers: 0 })).toEqual({ kind: 'rest' });
    expect(decide({ ...idle, queuedRows: 0 })).toEqual({ kind: 'rest' });
  });

  test('an idle runner takes what is queued at once', () => {
    expect(decide(idle)).toEqual({ kind: 'dispatch', maxRows: 8, reason: 'idle' });
  });

  test('holds for clients that come straight back, 1.5 times as long as they use to take', () => {
    expect(decide(closedLoop)).toEqual({ kind: 'wait', until: 101.5 });
    const later = { ...closedLoop, now: 101.5, held: true };
    expect(decide(later)).toEqual({ kind: 'dispatch', maxRows: 8, reason: 'hold_over' });
    const back = { ...later, last: { at: 100, answered: 4, arrived: 4 } };
    expect(decide(back)).toEqual({ kind: 'dispatch', maxRows: 8, reason: 'returned' });
  });

  test.each([
    ['as many came back as were answered', { last: { at: 100, answered: 4, arrived: 4 } }],
    ['a full batch waits', { queuedRows: 8 }],
    ['the dispatcher is closing', { closing: true }],
    ['clients do not come back', { habit: { share: 0.7, returnMs: 1 } }],
    ['the cost is all in the rows', { cost: { fixedMs: 10, perRowMs: 100 } }],
    ['the hold would be shorter than a timer can be', { cost: { fixedMs: 2, perRowMs: 0 } }],
    ['the cost is unknown', { cost: undefined }],
  ])('does not hold when %s', (_, facts) => {
    expect(decide({ ...closedLoop, ...facts }).kind).toBe('dispatch');
  });

  test('never holds beyond 0.4 of the fixed cost after the last answers, whatever it has learned', () => {
    fc.assert(
      fc.property(
        fc.record({
          now: fc.double({ min: 0, max: 200, noNaN: true }),
          queuedRows: fc.nat(20),
          fixedMs: fc.double({ min: 0, max: 100, noNaN: true }),
          perRowMs: fc.double({ min: 0, max: 10, noNaN: true }),
          share: fc.double({ min: 0, max: 1, noNaN: true }),
          returnMs: fc.double({ min: 0, max: 100, noNaN: true }),
          at: fc.double({ min: 0, max: 100, noNaN: true }),
          answered: fc.integer({ min: 1, max: 8 }),
          arrived: fc.nat(8),
        }),
        ({ now, queuedRows, fixedMs, perRowMs, share, returnMs, at, answered, arrived }) => {
          const cost = { fixedMs, perRowMs };
          const last = { at, answered, arrived };
          const decision = decide({ ...idle, now, queuedRows, cost, habit: { share, returnMs }, last });
          if (decision.kind !== 'wait') return;
          expect(decision.until).toBeGreaterThan(now);
          expect(decision.until).toBeLessThanOrEqual(at + 0.4 * fixedMs + 1e-9);
        },
      ),
    );
  });
});
