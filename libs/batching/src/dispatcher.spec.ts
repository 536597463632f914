import { ServeError } from '@bentots/errors';
import { describe, expect, test } from 'vitest';
import { codeOf, GatedDispatcher } from '../test/gated-batches.js';
import { settled } from '../test/manual-clock.js';
import { systemClock } from './clock.js';
import { Dispatcher } from './dispatcher.js';
import type { BatchFacts } from './dispatcher-options.js';

describe('a dispatcher', () => {
  test('runs a lone request at once', async () => {
    const gated = new GatedDispatcher();
    const answer = gated.submit([1, 2]);
    await settled();
    expect(gated.batches[0]?.items).toEqual([[1, 2]]);
    await gated.batches[0]?.open();
    expect(await answer).toEqual([10, 20]);
    expect(gated.clock.pending).toBe(0);
  });

  test('runs together what arrived together, and what arrived while a batch ran', async () => {
    const gated = new GatedDispatcher();
    const first = [gated.submit([1]), gated.submit([2])];
    await settled();
    const second = [gated.submit([3]), gated.submit([4])];
    await settled();
    expect(gated.seen).toEqual([[[1], [2]]]);
    await gated.last.open();
    await gated.last.open();
    expect(gated.seen).toEqual([[[1], [2]], [[3], [4]]]); // prettier-ignore
    expect(await Promise.all([...first, ...second])).toEqual([[10], [20], [30], [40]]);
  });

  test('fills batches by rows, and lets nothing overtake', async () => {
    const gated = new GatedDispatcher({ maxBatchSize: 4 });
    for (const item of [[1, 2, 3], [4, 5], [6], [7, 8]]) void gated.submit(item); // prettier-ignore
    await settled();
    await gated.last.open();
    await gated.last.open();
    expect(gated.seen).toEqual([[[1, 2, 3]], [[4, 5], [6]], [[7, 8]]]); // prettier-ignore
    expect(gated.dispatcher.queuedRows).toBe(0);
  });

  test('runs together only what is of one kind, and the oldest first', async () => {
    const kindOf = (item: readonly number[]): string => ((item[0] ?? 0) < 10 ? 'small' : 'large');
    const gated = new GatedDispatcher({ kindOf });
    for (const item of [[10], [1], [11], [2], [12, 13, 14], [3]]) void gated.submit(item); // prettier-ignore
    await settled();
    for (const _batch of [1, 2]) await gated.last.open();
    expect(gated.seen).toEqual([[[10], [11]], [[1], [2], [3]], [[12, 13, 14]]]); // prettier-ignore
  });

  test('splits a larger request and joins its outputs in order', async () => {
    const gated = new GatedDispatcher({ maxBatchSize: 2 });
    const answer = gated.submit([1, 2, 3, 4, 5]);
    await settled();
    for (const _batch of [1, 2, 3]) await gated.last.open();
    expect(gated.seen).toEqual([[[1, 2]], [[3, 4]], [[5]]]);
    expect(await answer).toEqual([10, 20, 30, 40, 50]);
  });

  test('refuses a larger request that cannot be split', async () => {
    const whole = new Dispatcher<readonly number[], number>({
      name: 'x.y',
      maxBatchSize: 2,
      maxLatencyMs: 10,
      rowsOf: (item) => item.length,
      execute: async (items) => items.map(() => 0),
    });
    await expect(whole.submit([1, 2, 3])).rejects.toThrow(
      "a request of 3 rows is over the 2 that 'x.y' takes at once",
    );
  });

  test('a failed part ends the whole request: its other parts are not executed', async () => {
    const facts: BatchFacts[] = [];
    const gated = new GatedDispatcher({ maxBatchSize: 2, onBatch: (batch) => facts.push(batch) });
    const answer = codeOf(gated.submit([1, 2, 3, 4]));
    await settled();
    await gated.last.throw(new ServeError('runner_failed', 'no'));
    expect(await answer).toBe('runner_failed');
    expect(gated.seen).toEqual([[[1, 2]]]);
    expect(facts.length).toBe(1);
    expect(gated.dispatcher.queuedRows).toBe(0);
  });

  test('tries the members of a failed batch apart', async () => {
    const gated = new GatedDispatcher();
    const answers = [[1], [2]].map((item) => codeOf(gated.submit(item)));
    await settled();
    await gated.last.throw(new ServeError('runner_failed', 'no'));
    await gated.last.open();
    await gated.last.throw(new ServeError('unprocessable', 'bad row'));
    expect(await Promise.all(answers)).toEqual(['resolved', 'unprocessable']);
  });

  test('learns the cost of a batch only from those that succeed at once', async () => {
    const gated = new GatedDispatcher();
    for (const [ms, fails] of [
      [1, false],
      [500, true],
      [10, false],
    ] as const) {
      // prettier-ignore
      void codeOf(gated.submit([1]));
      await settled();
      await gated.clock.advance(ms);
      await (fails ? gated.last.throw('no') : gated.last.open());
    }
    expect(gated.dispatcher.cost).toEqual({ fixedMs: 10, perRowMs: 0 });
  });

  test('an execute that throws at once fails the request, and the next one runs', async () => {
    const bomb = new GatedDispatcher({
      execute: ([item]) => {
        if (item?.[0] === 1) throw new TypeError('no model');
        return Promise.resolve([[7]]);
      },
    });
    await expect(bomb.submit([1])).rejects.toThrow('no model');
    expect(await bomb.submit([2])).toEqual([7]);
  });

  test('tells the facts of each batch', async () => {
    const facts: BatchFacts[] = [];
    const gated = new GatedDispatcher({ onBatch: (batch) => facts.push(batch) });
    void gated.submit([1]);
    await settled();
    void gated.submit([1, 2]);
    void gated.submit([3]);
    await gated.clock.advance(30);
    await gated.last.open();
    await gated.clock.advance(20);
    await gated.last.open();
    const idle = { reason: 'idle', expectedMs: undefined, worker: undefined };
    expect(facts).toEqual([
      { rows: 1, requests: 1, waitMs: 0, holdMs: 0, executeMs: 30, ...idle },
      { rows: 3, requests: 2, waitMs: 30, holdMs: 0, executeMs: 20, ...idle },
    ]);
  });

  test.each([
    ['maxBatchSize', { maxBatchSize: 0 }],
    ['maxLatencyMs', { maxLatencyMs: Number.NaN }],
    ['maxQueueRows', { maxQueueRows: 1.5 }],
  ])('refuses a wrong %s by name', (name, options) => {
    expect(() => new GatedDispatcher(options)).toThrow(new RegExp(`^${name} of 'x.y' is .*; at least 1`));
  });
});

describe('a request that nobody waits for', () => {
  test('leaves the queue when it is cancelled, and is never executed', async () => {
    const gated = new GatedDispatcher();
    const abort = new AbortController();
    void gated.submit([1]);
    await settled();
    const cancelled = codeOf(gated.submit([2], { signal: abort.signal }));
    void gated.submit([3]);
    abort.abort();
    expect(await cancelled).toBe('cancelled');
    expect(gated.dispatcher.queuedRows).toBe(1);
    await gated.last.open();
    expect(gated.seen).toEqual([[[1]], [[3]]]);
  });

  test('is not taken in when it was cancelled or over before it came', async () => {
    const gated = new GatedDispatcher();
    await gated.clock.advance(50);
    const timeout = new ServeError('deadline_exceeded', 'over');
    expect(await codeOf(gated.submit([1], { signal: AbortSignal.abort() }))).toBe('cancelled');
    expect(await codeOf(gated.submit([1], { signal: AbortSignal.abort('why') }))).toBe('cancelled');
    expect(await codeOf(gated.submit([1], { signal: AbortSignal.abort(timeout) }))).toBe(timeout.code);
    expect(await codeOf(gated.submit([1], { deadline: 50 }))).toBe('deadline_exceeded');
    expect(gated.seen).toEqual([]);
  });

  test('drops its answer when it is cancelled in flight; the batch is told when it was the last one', async () => {
    const gated = new GatedDispatcher();
    const aborts = [new AbortController(), new AbortController()];
    const codes = aborts.map(({ signal }, i) => codeOf(gated.submit([i], { signal })));
    await settled();
    aborts[0]?.abort();
    expect(gated.last.signal.aborted).toBe(false);
    aborts[1]?.abort();
    expect(gated.last.signal.aborted).toBe(true);
    expect(await Promise.all(codes)).toEqual(['cancelled', 'cancelled']);
    await gated.last.open();
    expect(await codeOf(Promise.race([gated.submit([5]), settled()]))).toBe('resolved');
    expect(gated.seen.at(-1)).toEqual([[5]]);
  });

  test('is refused at its deadline or its longest latency, whichever is first', async () => {
    const gated = new GatedDispatcher({ maxLatencyMs: 100 });
    void gated.submit([1]);
    await settled();
    const codes = [{ deadline: 300 }, { deadline: 40 }, {}].map((o) => codeOf(gated.submit([2], o)));
    await gated.clock.advance(39);
    expect(gated.dispatcher.queuedRows).toBe(3);
    await gated.clock.advance(1);
    expect(gated.dispatcher.queuedRows).toBe(2);
    await gated.clock.advance(60);
    expect(await Promise.all(codes)).toEqual(['overloaded', 'deadline_exceeded', 'overloaded']);
    await gated.last.open();
    expect(gated.seen).toEqual([[[1]]]);
    expect(gated.clock.pending).toBe(0);
  });

  test('is told when to come back, when it waited too long', async () => {
    const gated = new GatedDispatcher({ maxLatencyMs: 100 });
    void gated.submit([1]);
    await settled();
    const refused = gated.submit([2]).catch((error: unknown) => error);
    await gated.clock.advance(100);
    expect(await refused).toMatchObject({
      code: 'overloaded',
      message: expect.stringMatching(/waited 100 ms .* its longest latency; try again in \d+ ms/) as string,
      details: { maxLatencyMs: 100, retryAfterMs: expect.any(Number) as number },
    });
    await gated.last.open();
  });

  test('is not executed late when the loop was blocked past its deadline', async () => {
    // The clock jumps and no timer rings, as when a synchronous batch blocks the process.
    const time = { now: 0 };
    const late = new GatedDispatcher({
      clock: {
        now: () => time.now,
        epochNow: () => time.now,
        after: () => () => undefined,
        defer: (fn) => systemClock.defer(fn),
      },
    });
    void late.submit([1]);
    await settled();
    const code = codeOf(late.submit([2], { deadline: 10 }));
    time.now = 20;
    await late.last.open();
    expect(await code).toBe('deadline_exceeded');
    expect(late.seen).toEqual([[[1]]]);
  });
});

describe('a full queue', () => {
  test('refuses, and says when to come back', async () => {
    const gated = new GatedDispatcher({ maxBatchSize: 2, maxQueueRows: 4 });
    // Two batches of 10 ms and one that is left running, so that the cost is known.
    for (const _batch of [1, 2]) {
      void gated.submit([1]);
      await settled();
      await gated.clock.advance(10);
      await gated.last.open();
    }
    void gated.submit([1]);
    await settled();
    for (const item of [[1, 2], [3, 4]]) void gated.submit(item); // prettier-ignore
    await expect(gated.submit([5, 6])).rejects.toMatchObject({
      code: 'overloaded',
      message: "the queue of 'x.y' is full: 4 of 4 rows wait; try again in 10 ms",
      details: { queuedRows: 4, maxQueueRows: 4, retryAfterMs: 10 },
    });
  });

  test('still takes a request larger than itself when it is empty', async () => {
    const gated = new GatedDispatcher({ maxBatchSize: 2, maxQueueRows: 2 });
    const answer = gated.submit([1, 2, 3]);
    await settled();
    for (const _batch of [1, 2]) await gated.last.open();
    expect(await answer).toEqual([10, 20, 30]);
  });
});

describe('closing', () => {
  test('runs what waits, refuses what comes, and resolves when all is done', async () => {
    const gated = new GatedDispatcher({ maxBatchSize: 1 });
    const answers = [gated.submit([1]), gated.submit([2])];
    await settled();
    const closed = gated.dispatcher.close();
    expect(gated.dispatcher.close()).toBe(closed);
    expect(await codeOf(gated.submit([3]))).toBe('unavailable');
    expect(await Promise.race([closed, settled().then(() => 'still open')])).toBe('still open');
    await gated.last.open();
    await gated.last.open();
    expect(await Promise.all([...answers, closed])).toEqual([[10], [20], undefined]);
  });

  test('an idle dispatcher closes at once', async () => {
    await expect(new GatedDispatcher().dispatcher.close()).resolves.toBeUndefined();
  });
});

describe('clients that come straight back', () => {
  /** Four clients, each of which sends again 1 ms after its answer, against batches of 10 ms. */
  async function closedLoop(gated: GatedDispatcher, rounds: number): Promise<void> {
    for (let round = 0; round < rounds; round += 1) {
      const answered = gated.last.items.length;
      await gated.clock.advance(10);
      await gated.last.open();
      await gated.clock.advance(1);
      for (let i = 0; i < answered; i += 1) void gated.submit([i]);
      await settled();
    }
  }

  test('are gathered into one batch once their habit is known', async () => {
    const gated = new GatedDispatcher({ maxBatchSize: 8 });
    void gated.submit([0]);
    await settled();
    for (let i = 1; i < 4; i += 1) void gated.submit([i]);
    await closedLoop(gated, 30);
    expect(gated.seen.slice(0, 3).map((batch) => batch.length)).toEqual([1, 3, 1]);
    expect(gated.seen.slice(-3).map((batch) => batch.length)).toEqual([4, 4, 4]);
  });

  test('are waited for no longer than can be won back when they stay away', async () => {
    const gated = new GatedDispatcher({ maxBatchSize: 8 });
    void gated.submit([0]);
    await settled();
    for (let i = 1; i < 4; i += 1) void gated.submit([i]);
    await closedLoop(gated, 30);
    await gated.clock.advance(10);
    const before = gated.batches.length;
    await gated.last.open();
    void gated.submit([9]);
    await settled();
    expect(gated.batches.length).toBe(before);
    await gated.clock.advance(4);
    expect(gated.last.items).toEqual([[9]]);
  });
});
