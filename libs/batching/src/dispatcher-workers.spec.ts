import { ServeError } from '@bentots/errors';
import { describe, expect, test } from 'vitest';
import { codeOf, GatedDispatcher } from '../test/gated-batches.js';
import { NumberedPool, verdictOn, WorkerError } from '../test/gated-pool.js';
import { settled } from '../test/manual-clock.js';
import type { BatchFacts } from './dispatcher-options.js';

/** A dispatcher over `size` workers that has seen nothing yet. */
function overWorkers(size: number, options: { maxBatchSize?: number; retryLost?: boolean } = {}) {
  const pool = new NumberedPool(size);
  const facts: BatchFacts<number>[] = [];
  const onBatch = (batch: BatchFacts<number>): void => void facts.push(batch);
  const gated = new GatedDispatcher<number>({ workers: pool, verdictOn, onBatch, ...options });
  return { pool, gated, facts };
}

describe('a dispatcher over several workers', () => {
  test('runs as many batches at once as there are free workers, each on its own', async () => {
    const { gated, facts } = overWorkers(2, { maxBatchSize: 2 });
    const answers = [1, 2, 3, 4, 5].map((n) => gated.submit([n]));
    await settled();
    expect(gated.seen).toEqual([[[1], [2]], [[3], [4]]]); // prettier-ignore
    expect(gated.batches.map(({ worker }) => worker)).toEqual([0, 1]);
    await gated.at(1).open();
    expect(gated.at(2)).toMatchObject({ items: [[5]], worker: 1 });
    await gated.at(0).open();
    await gated.at(2).open();
    expect(await Promise.all(answers)).toEqual([[10], [20], [30], [40], [50]]);
    expect(facts.map(({ worker, reason }) => [worker, reason])).toEqual([
      [1, 'full'],
      [0, 'full'],
      [1, 'idle'],
    ]);
  });

  test('a worker that comes is used as soon as the dispatcher is woken, and one that goes is not', async () => {
    const { pool, gated } = overWorkers(0);
    void gated.submit([1]);
    await settled();
    expect(gated.batches.length).toBe(0);
    expect(gated.dispatcher.oldestSince).toBe(0);
    pool.add(7);
    gated.dispatcher.wake();
    await settled();
    expect(gated.last.worker).toBe(7);
    expect(gated.dispatcher.oldestSince).toBeUndefined();
    pool.remove(7);
    await gated.last.open();
    void gated.submit([2]);
    await settled();
    expect(gated.batches.length).toBe(1);
  });

  test('the parts of a large request run side by side, and are joined in order', async () => {
    const { gated } = overWorkers(3, { maxBatchSize: 2 });
    const answer = gated.submit([1, 2, 3, 4, 5]);
    await settled();
    for (const index of [2, 0, 1]) await gated.at(index).open();
    expect(await answer).toEqual([10, 20, 30, 40, 50]);
  });

  test('a failed part of a large request tells the batches of the others that nobody waits', async () => {
    const { gated } = overWorkers(2, { maxBatchSize: 2 });
    const code = codeOf(gated.submit([1, 2, 3, 4]));
    await settled();
    await gated.at(0).throw(new ServeError('unprocessable', 'bad row'));
    expect(await code).toBe('unprocessable');
    expect(gated.at(1).signal.aborted).toBe(true);
  });

  test('closing waits for all of the batches', async () => {
    const { gated } = overWorkers(2, { maxBatchSize: 1 });
    void gated.submit([1]);
    void gated.submit([2]);
    await settled();
    const closed = gated.dispatcher.close().then(() => 'closed');
    await gated.at(0).open();
    expect(await Promise.race([closed, settled().then(() => 'open')])).toBe('open');
    await gated.at(1).open();
    expect(await closed).toBe('closed');
  });
});

describe('a worker that does not start a batch', () => {
  test('gives the requests back: they keep their age and their place', async () => {
    const { gated, facts } = overWorkers(1, { maxBatchSize: 2 });
    const answers = [1, 2, 3].map((n) => gated.submit([n]));
    await settled();
    await gated.clock.advance(5);
    await gated.last.throw(new WorkerError('not_started'));
    expect(gated.seen).toEqual([[[1], [2]], [[1], [2]]]); // prettier-ignore
    await gated.last.open();
    await gated.last.open();
    expect(await Promise.all(answers)).toEqual([[10], [20], [30]]);
    expect(facts.map(({ waitMs }) => waitMs)).toEqual([0, 5, 5]);
  });

  test('a request is given up after eight of them', async () => {
    const { gated } = overWorkers(1);
    const code = gated.submit([1]).catch((error: unknown) => error);
    await settled();
    for (let i = 0; i < 8; i += 1) await gated.at(i).throw(new WorkerError('not_started'));
    expect(await code).toBeInstanceOf(WorkerError);
    expect(gated.batches.length).toBe(8);
  });

  test('what was cancelled meanwhile does not go back', async () => {
    const { gated } = overWorkers(1);
    const abort = new AbortController();
    const code = codeOf(gated.submit([1], { signal: abort.signal }));
    await settled();
    abort.abort();
    await gated.last.throw(new WorkerError('not_started'));
    expect(await code).toBe('cancelled');
    expect(gated.batches.length).toBe(1);
    expect(gated.dispatcher.queuedRows).toBe(0);
  });
});

describe('a worker that is lost with a batch', () => {
  test('fails its requests', async () => {
    const { gated } = overWorkers(1);
    const codes = [1, 2].map((n) => gated.submit([n]).catch((error: unknown) => error));
    await settled();
    await gated.last.throw(new WorkerError('lost'));
    for (const error of await Promise.all(codes)) expect(error).toBeInstanceOf(WorkerError);
    expect(gated.batches.length).toBe(1);
  });

  test('with retryLost each runs once more alone, so that only the guilty one fails, and once more only', async () => {
    const { gated } = overWorkers(1, { retryLost: true });
    const [first, guilty, last] = [1, 2, 3].map((n) => codeOf(gated.submit([n])));
    await settled();
    const later = gated.submit([4]);
    await gated.last.throw(new WorkerError('lost'));
    await gated.last.open();
    await gated.last.throw(new WorkerError('lost'));
    await gated.last.open();
    await gated.last.open();
    expect(gated.seen).toEqual([[[1], [2], [3]], [[1]], [[2]], [[3]], [[4]]]); // prettier-ignore
    expect([await first, await last]).toEqual(['resolved', 'resolved']);
    expect(await guilty).toBeInstanceOf(WorkerError);
    expect(await later).toEqual([40]);
  });

  test('while halves are tried apart, the half that it had not begun goes back unharmed', async () => {
    const { gated } = overWorkers(1);
    const [one, two] = [1, 2].map((n) => codeOf(gated.submit([n])));
    await settled();
    await gated.last.throw(new ServeError('runner_failed', 'no'));
    await gated.last.throw(new WorkerError('lost'));
    await gated.last.open();
    expect(gated.seen).toEqual([[[1], [2]], [[1]], [[2]]]); // prettier-ignore
    expect(await one).toBeInstanceOf(WorkerError);
    expect(await two).toBe('resolved');
  });
});

describe('priority', () => {
  test('high goes before normal and normal before low, each first in, first out', async () => {
    const { gated } = overWorkers(1, { maxBatchSize: 2 });
    void gated.submit([0]);
    await settled();
    const order = ['low', 'normal', 'high', 'low', 'high', 'normal', 'high'] as const;
    for (const [n, priority] of order.entries()) void gated.submit([n + 1], { priority });
    for (const _batch of [1, 2, 3, 4]) await gated.last.open();
    expect(gated.seen.slice(1)).toEqual([[[3], [5]], [[7], [2]], [[6], [1]], [[4]]]); // prettier-ignore
  });

  test('what is given back goes before all of its own priority, and after all above it', async () => {
    const { gated } = overWorkers(1, { maxBatchSize: 1 });
    void gated.submit([1]);
    await settled();
    void gated.submit([2]);
    void gated.submit([3], { priority: 'high' });
    await gated.last.throw(new WorkerError('not_started'));
    for (const _batch of [1, 2]) await gated.last.open();
    expect(gated.seen).toEqual([[[1]], [[3]], [[1]], [[2]]]);
  });
});

describe('bounds and refusals', () => {
  test('the queue is bounded in bytes', async () => {
    const refused: unknown[] = [];
    const gated = new GatedDispatcher({
      bytesOf: (item) => item.length * 100,
      maxQueueBytes: 250,
      onRefused: (reason, rows) => refused.push([reason, rows]),
    });
    void gated.submit([0]);
    await settled();
    void gated.submit([1, 2]);
    expect(gated.dispatcher.queuedBytes).toBe(200);
    await expect(gated.submit([3])).rejects.toThrow("the queue of 'x.y' is full: 200 of 250 bytes wait");
    expect(refused).toEqual([['queue_bytes', 1]]);
  });

  test('says why each request was not executed', async () => {
    const refused: unknown[] = [];
    const onRefused = (reason: string, rows: number): void => void refused.push([reason, rows]);
    const gated = new GatedDispatcher({ maxQueueRows: 6, maxLatencyMs: 50, onRefused });
    void gated.submit([0]);
    await settled();
    const abort = new AbortController();
    const codes = [
      gated.submit([1, 2], { signal: abort.signal }),
      gated.submit([3], { deadline: 20 }),
      gated.submit([4, 5, 6]),
      gated.submit([7]),
    ].map(codeOf);
    abort.abort();
    await gated.clock.advance(50);
    void gated.dispatcher.close();
    expect(await Promise.all([...codes, codeOf(gated.submit([8]))])).toEqual([
      'cancelled',
      'deadline_exceeded',
      'overloaded',
      'overloaded',
      'unavailable',
    ]);
    expect(refused).toEqual([
      ['queue_rows', 1],
      ['cancelled', 2],
      ['expired', 1],
      ['max_latency', 3],
      ['closing', 1],
    ]);
  });
});

describe('the timing of an answer', () => {
  test('tells the wait for a worker from the run', async () => {
    const gated = new GatedDispatcher();
    void gated.submit([1]);
    await settled();
    await gated.clock.advance(3);
    const answer = gated.dispatcher.submit([2, 3]);
    await gated.clock.advance(7);
    await gated.last.open();
    await gated.clock.advance(20);
    await gated.last.open();
    const { timing } = await answer;
    expect(timing).toEqual({ queueMs: 7, batchMs: 0, inferMs: 20, batchRows: 2 });
  });

  test('adds up to the time that a split request took, though its parts overlap', async () => {
    const { gated } = overWorkers(2, { maxBatchSize: 2 });
    void gated.submit([0]);
    void gated.submit([0, 0]);
    await settled();
    const answer = gated.dispatcher.submit([1, 2, 3, 4, 5]);
    await gated.clock.advance(4);
    await gated.at(0).open();
    await gated.clock.advance(2);
    await gated.at(1).open();
    await gated.clock.advance(5);
    await gated.at(2).open();
    await gated.at(3).open();
    await gated.clock.advance(1);
    await gated.at(4).open();
    const { timing } = await answer;
    expect(timing).toEqual({ queueMs: 4, batchMs: 0, inferMs: 8, batchRows: 1 });
  });

  test('a run that was not started counts as run, and the wait after it as wait', async () => {
    const { gated } = overWorkers(1, { maxBatchSize: 1 });
    const answer = gated.dispatcher.submit([1]);
    await settled();
    await gated.clock.advance(2);
    const urgent = gated.submit([2], { priority: 'high' });
    await gated.last.throw(new WorkerError('not_started'));
    await gated.clock.advance(3);
    await gated.last.open();
    await urgent;
    await gated.clock.advance(4);
    await gated.last.open();
    expect((await answer).timing).toEqual({ queueMs: 3, batchMs: 0, inferMs: 6, batchRows: 1 });
  });
});
