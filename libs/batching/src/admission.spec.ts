import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { admit, type AdmissionFacts, type Ahead, isInVain, predict } from './admission.js';

const ahead: Ahead = {
  rows: 0,
  freeInMs: 0,
  workers: 1,
  fullRows: 10,
  usualRows: 4,
  cost: { fixedMs: 5, perRowMs: 0.5 },
  caution: 1,
  certainty: 1,
};
const facts: AdmissionFacts = {
  rows: 1,
  bytes: 0,
  queuedRows: 1,
  queuedBytes: 0,
  maxQueueRows: 100,
  maxQueueBytes: 1000,
  isIdle: false,
  deadlineMs: Infinity,
  maxLatencyMs: 1000,
  ahead,
};

describe('prediction', () => {
  test.each([
    ['alone: its own batch', 1, {}, { waitMs: 0, finishMs: 5.5 }],
    ['behind a running batch, with those that usually join', 1, { freeInMs: 3 }, { waitMs: 3, finishMs: 10 }],
    ['in the batch that is filling', 2, { rows: 8, freeInMs: 3 }, { waitMs: 3, finishMs: 13 }],
    ['behind two full batches', 1, { rows: 20, freeInMs: 3 }, { waitMs: 23, finishMs: 30 }],
    ['behind two full batches, with two workers', 1, { rows: 20, freeInMs: 3, workers: 2 }, { waitMs: 13, finishMs: 20 }],
    ['in several batches of its own', 25, {}, { waitMs: 20, finishMs: 27.5 }],
    ['where calls differ so much that its own may take half', 1, { freeInMs: 3, certainty: 0.5 }, { waitMs: 3, finishMs: 6.5 }],
    ['when predictions were too good', 1, { freeInMs: 3, caution: 2 }, { waitMs: 6, finishMs: 20 }],
  ])('%s', (_, rows, change, expected) => {
    expect(predict(rows, { ...ahead, ...change })).toEqual(expected);
  }); // prettier-ignore

  test('there is none before a cost is known, nor without workers', () => {
    expect(predict(1, { ...ahead, cost: undefined })).toBeUndefined();
    expect(predict(1, { ...ahead, workers: 0 })).toBeUndefined();
  });

  test('never gets earlier by more rows ahead, and never later by more workers', () => {
    const some = fc.nat(200);
    fc.assert(
      fc.property(some, some, fc.integer({ min: 1, max: 8 }), fc.nat(50), (rows, more, workers, freeInMs) => {
        const less = predict(1, { ...ahead, rows, workers, freeInMs })?.waitMs ?? NaN;
        expect(predict(1, { ...ahead, rows: rows + more, workers, freeInMs })?.waitMs).toBeGreaterThanOrEqual(less); // prettier-ignore
        expect(predict(1, { ...ahead, rows, workers: workers + 1, freeInMs })?.waitMs).toBeLessThanOrEqual(less); // prettier-ignore
      }),
    );
  });
});

describe('admission', () => {
  test('lets in who will be answered in time, to the very end of it', () => {
    const late = { ...ahead, rows: 20, freeInMs: 3 };
    expect(admit('x.y', { ...facts, ahead: late, deadlineMs: 30 })).toBeUndefined();
    const refusal = admit('x.y', { ...facts, ahead: late, deadlineMs: 25.5 });
    expect(refusal?.reason).toBe('deadline');
    expect(refusal?.error).toMatchObject({
      code: 'overloaded',
      message: "an answer of 'x.y' is expected in 30 ms, the caller waits 25.5 ms; try again in 5 ms",
      details: { expectedMs: 30, allowedMs: 25.5, retryAfterMs: 5 },
    });
  });

  test('refuses who would wait longer than the longest latency', () => {
    const refusal = admit('x.y', { ...facts, ahead: { ...ahead, rows: 20 }, maxLatencyMs: 15 });
    expect(refusal?.reason).toBe('max_latency');
    expect(refusal?.error.message).toBe(
      "a wait of 20 ms for 'x.y' is expected, its longest latency is 15 ms; try again in 5 ms",
    );
  });

  test.each([
    ['the dispatcher is idle, whatever the model says', { isIdle: true, deadlineMs: 1 }],
    ['nothing is known yet', { deadlineMs: 1, ahead: { ...ahead, cost: undefined } }],
    ['it is larger than the queue, and nobody waits', { queuedRows: 0, rows: 500, bytes: 5000 }],
  ])('lets in when %s', (_, change) => {
    expect(admit('x.y', { ...facts, ...change })).toBeUndefined();
  });

  test('bounds rows and bytes', () => {
    expect(admit('x.y', { ...facts, queuedRows: 99 })).toBeUndefined();
    expect(admit('x.y', { ...facts, queuedRows: 100 })?.reason).toBe('queue_rows');
    expect(admit('x.y', { ...facts, queuedBytes: 900, bytes: 100 })).toBeUndefined();
    expect(admit('x.y', { ...facts, queuedBytes: 900, bytes: 101 })?.reason).toBe('queue_bytes');
  });
});

describe('before it gets into a batch', () => {
  const model = { cost: { fixedMs: 5, perRowMs: 1 }, certainty: 1 };
  const part = (deadlineAt: number, isPredicted = false) => {
    return { rows: 2, job: { expiresAt: Math.min(deadlineAt, 100), deadlineAt, isPredicted } };
  };
  test('a request that has not the time to run even alone is left out', () => {
    expect(isInVain(part(20, true), 13, model)).toBe(false);
    expect(isInVain(part(20, true), 13.1, model)).toBe(true);
    expect(isInVain(part(20, true), 13.1, { ...model, cost: undefined })).toBe(false);
    expect(isInVain(part(20, true), 16.5, { ...model, certainty: 0.5 })).toBe(false);
  });

  test('one that was let in without a prediction is left out only when its time is over', () => {
    expect(isInVain(part(20), 19, model)).toBe(false);
    expect(isInVain(part(20), 20, model)).toBe(true);
    expect(isInVain(part(Infinity), 100, model)).toBe(true);
  });
});
