import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decide, type PolicyFacts } from './policy.js';

const idle: PolicyFacts = {
  now: 100,
  freeWorkers: 1,
  workers: 1,
  flyingRows: 0,
  held: false,
  queuedRows: 3,
  maxBatchSize: 8,
  closing: false,
  cost: { fixedMs: 10, perRowMs: 0.1 },
  habit: { share: 0, returnMs: 0 },
  last: [],
};
const closedLoop: PolicyFacts = {
  ...idle,
  habit: { share: 1, returnMs: 1 },
  last: [{ at: 100, answered: 4, arrived: 1 }],
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
    const back = { ...later, last: [{ at: 100, answered: 4, arrived: 4 }] };
    expect(decide(back)).toEqual({ kind: 'dispatch', maxRows: 8, reason: 'returned' });
  });

  test.each([
    ['as many came back as were answered', { last: [{ at: 100, answered: 4, arrived: 4 }] }],
    ['a full batch waits', { queuedRows: 8 }],
    ['the dispatcher is closing', { closing: true }],
    ['clients do not come back', { habit: { share: 0.7, returnMs: 1 } }],
    ['the cost is all in the rows', { cost: { fixedMs: 10, perRowMs: 100 } }],
    ['the hold would be shorter than a timer can be', { cost: { fixedMs: 0.9, perRowMs: 0 } }],
    [
      'it would be shorter, and returns are not nearly sure',
      { cost: { fixedMs: 2, perRowMs: 0 }, habit: { share: 0.85, returnMs: 0.2 } },
    ],
    ['a worker more is free than is kept for those who come back', { freeWorkers: 2, workers: 2 }],
    ['the cost is unknown', { cost: undefined }],
  ])('does not hold when %s', (_, facts) => {
    expect(decide({ ...closedLoop, ...facts }).kind).toBe('dispatch');
  });

  test('holds for the shortest timer where returns are sure and little can be won back', () => {
    const facts = { ...closedLoop, cost: { fixedMs: 2, perRowMs: 0 } };
    expect(decide(facts)).toEqual({ kind: 'wait', until: 101 });
  });

  test('keeps a free worker for each batch whose clients are awaited, until the first is given up', () => {
    const last = [
      { at: 99.5, answered: 4, arrived: 3 },
      { at: 100, answered: 2, arrived: 0 },
    ];
    const two = { ...closedLoop, freeWorkers: 2, workers: 4, last };
    expect(decide(two)).toEqual({ kind: 'wait', until: 101 });
    expect(decide({ ...two, now: 101, held: true })).toMatchObject({ reason: 'hold_over' });
    const back = last.map((answers) => ({ ...answers, arrived: answers.answered }));
    expect(decide({ ...two, last: back, held: true })).toMatchObject({ reason: 'returned' });
  });

  describe('shares rows out', () => {
    const many = { ...idle, freeWorkers: 4, workers: 4, queuedRows: 8 };
    test.each([
      ['to one worker where a batch costs more than its rows', {}, 8],
      ['to all where rows are all that costs', { cost: { fixedMs: 0, perRowMs: 1 } }, 2],
      ['to as many as have rows for their fixed cost', { cost: { fixedMs: 4, perRowMs: 1 } }, 4],
      ['to those that are free', { freeWorkers: 2, cost: { fixedMs: 0, perRowMs: 1 } }, 4],
      ['to one while nothing is known', { cost: undefined }, 8],
      ['evenly where clients come straight back', { habit: { share: 1, returnMs: 1 }, flyingRows: 4 }, 3],
    ])('%s', (_, facts, maxRows) => {
      expect(decide({ ...many, ...facts })).toMatchObject({ kind: 'dispatch', maxRows });
    });
  });

  test('never holds beyond 0.4 of the fixed cost after the last answers, or the shortest timer', () => {
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
          const last = [{ at, answered, arrived }];
          const decision = decide({ ...idle, now, queuedRows, cost, habit: { share, returnMs }, last });
          if (decision.kind !== 'wait') return;
          expect(decision.until).toBeGreaterThan(now);
          expect(decision.until).toBeLessThanOrEqual(at + Math.max(0.4 * fixedMs, 1) + 1e-9);
          expect(fixedMs).toBeGreaterThanOrEqual(1);
        },
      ),
    );
  });
});
