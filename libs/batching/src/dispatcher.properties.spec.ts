import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { codeOf, GatedDispatcher, type Rows } from '../test/gated-batches.js';
import { NumberedPool, verdictOn, WorkerError } from '../test/gated-pool.js';
import { settled } from '../test/manual-clock.js';
import type { Answer, Priority } from './job.js';

const MAX_QUEUE_ROWS = 20;
const MAX_QUEUE_BYTES = 150;
const BYTES_PER_ROW = 10;

const priority = fc.constantFrom<Priority>('high', 'normal', 'low');
const submit = fc.record({
  do: fc.constant('submit' as const),
  rows: fc.integer({ min: 1, max: 9 }),
  priority,
  deadlineMs: fc.option(fc.integer({ min: 1, max: 200 }), { nil: undefined }),
});
const which = fc.nat(30);
const calm = [
  { weight: 6, arbitrary: submit },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('cancel' as const), which }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('open' as const), which }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.integer({ min: 1, max: 40 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('come' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('go' as const) }) },
];
const rough = {
  weight: 3,
  arbitrary: fc.record({
    do: fc.constant('throw' as const),
    which,
    verdict: fc.constantFrom<'failed' | 'not_started' | 'lost'>('failed', 'not_started', 'lost'),
  }),
};

const runOf = <S>(step: fc.Arbitrary<S>) =>
  fc.record({
    maxBatchSize: fc.integer({ min: 1, max: 6 }),
    maxLatencyMs: fc.constantFrom(20, 1000),
    workers: fc.integer({ min: 0, max: 3 }),
    retryLost: fc.boolean(),
    steps: fc.array(step, { maxLength: 50 }),
  });
const calmRun = runOf(fc.oneof(...calm));
const roughRun = runOf(fc.oneof(...calm, rough));
type Run = typeof roughRun extends fc.Arbitrary<infer R> ? R : never;

interface Request {
  readonly rows: Rows;
  readonly priority: Priority;
  readonly abort: AbortController;
  readonly submittedAt: number;
  /** Its answer and when it came, or the code of its error. */
  readonly outcome: Promise<
    { readonly answer: Answer<Rows>; readonly at: number } | { readonly code: unknown }
  >;
  /** How many batches had been started when it was cancelled. */
  cancelledAt: number | undefined;
}

/** Plays the steps, then lets every batch through until nothing is left. */
async function play({ maxBatchSize, maxLatencyMs, workers, retryLost, steps }: Run) {
  const pool = new NumberedPool(workers);
  const gated = new GatedDispatcher<number>({
    maxBatchSize,
    maxLatencyMs,
    workers: pool,
    verdictOn,
    retryLost,
    bytesOf: (rows) => rows.length * BYTES_PER_ROW,
    maxQueueRows: MAX_QUEUE_ROWS,
    maxQueueBytes: MAX_QUEUE_BYTES,
  });
  const requests: Request[] = [];
  /** The most that waited when a request had just come in. */
  const most = { rows: 0, bytes: 0 };
  let workersSoFar = workers;
  for (const s of steps) {
    if (s.do === 'submit') {
      requests.push(send(gated, s, requests));
      most.rows = Math.max(most.rows, gated.dispatcher.queuedRows);
      most.bytes = Math.max(most.bytes, gated.dispatcher.queuedBytes);
    }
    const target = s.do === 'cancel' ? requests[s.which] : undefined;
    if (target !== undefined && target.cancelledAt === undefined) {
      target.cancelledAt = gated.batches.length;
      target.abort.abort();
    }
    if (s.do === 'come') pool.add(workersSoFar++);
    if (s.do === 'go') pool.remove(workersSoFar - 1);
    if (s.do === 'come' || s.do === 'go') gated.dispatcher.wake();
    const { waiting } = gated;
    const batch = 'which' in s ? waiting[s.which % Math.max(1, waiting.length)] : undefined;
    if (s.do === 'open') await batch?.open();
    if (s.do === 'throw') await batch?.throw(s.verdict === 'failed' ? 'boom' : new WorkerError(s.verdict));
    if (s.do === 'advance') await gated.clock.advance(s.ms);
    await settled();
  }
  pool.add(workersSoFar);
  gated.dispatcher.wake();
  const done = gated.dispatcher.close().then(() => 'closed');
  while ((await Promise.race([done, settled()])) !== 'closed') await gated.waiting[0]?.open();
  return { gated, requests, most };
}

function send(
  gated: GatedDispatcher<number>,
  s: typeof submit extends fc.Arbitrary<infer S> ? S : never,
  before: readonly Request[],
): Request {
  const abort = new AbortController();
  // Every row is a number of its own, in order of arrival.
  const first = before.reduce((sum, request) => sum + request.rows.length, 0);
  const rows = Array.from({ length: s.rows }, (_, i) => first + i);
  const { clock } = gated;
  const submittedAt = clock.now();
  const deadline = s.deadlineMs === undefined ? {} : { deadline: submittedAt + s.deadlineMs };
  const options = { signal: abort.signal, priority: s.priority, ...deadline };
  const outcome = gated.dispatcher.submit(rows, options).then(
    (answer) => ({ answer, at: clock.now() }),
    (error: { code?: unknown }) => ({ code: error.code ?? error }),
  );
  return { rows, priority: s.priority, abort, submittedAt, outcome, cancelledAt: undefined };
}

describe('whatever happens to a dispatcher', () => {
  test('batches keep to maxBatchSize rows and to the order of arrival in each priority, and no row is run twice', async () => {
    await fc.assert(
      fc.asyncProperty(calmRun, async (r) => {
        const { gated, requests } = await play(r);
        for (const items of gated.seen) expect(items.flat().length).toBeLessThanOrEqual(r.maxBatchSize);
        const executed = gated.seen.flat(2);
        expect(new Set(executed).size).toBe(executed.length);
        for (const wanted of ['high', 'normal', 'low'] as const) {
          const own = new Set(requests.filter((q) => q.priority === wanted).flatMap((q) => q.rows));
          const order = executed.filter((row) => own.has(row));
          expect(order).toEqual([...order].sort((a, b) => a - b));
        }
      }),
      { numRuns: 80 },
    );
  });

  test('no batch starts with what waits behind a higher priority', async () => {
    await fc.assert(
      fc.asyncProperty(calmRun, async (r) => {
        const { gated, requests } = await play(r);
        const rank = (row: number | undefined): number => {
          const request = requests.find((q) => q.rows.includes(row ?? -1));
          return ['high', 'normal', 'low'].indexOf(request?.priority ?? '');
        };
        for (const items of gated.seen) {
          const ranks = items.map((item) => rank(item[0]));
          expect(ranks).toEqual([...ranks].sort((a, b) => a - b));
        }
      }),
      { numRuns: 40 },
    );
  });

  test('every request settles: with its own rows in order, or with an error that fits', async () => {
    await fc.assert(
      fc.asyncProperty(roughRun, async (r) => {
        const { gated, requests } = await play(r);
        for (const { rows, outcome, cancelledAt, submittedAt } of requests) {
          const got = await outcome;
          if ('answer' in got) {
            expect(got.answer.output).toEqual(rows.map((n) => n * 10));
            const { queueMs, batchMs, inferMs, batchRows } = got.answer.timing;
            expect(queueMs + batchMs + inferMs).toBeCloseTo(got.at - submittedAt, 6);
            expect(Math.min(queueMs, batchMs, inferMs)).toBeGreaterThanOrEqual(0);
            expect(batchRows).toBeLessThanOrEqual(r.maxBatchSize);
          } else if (got.code instanceof WorkerError || got.code === 'boom') {
            // Only who was in a batch can have failed with it.
            expect(gated.seen.flat(2).some((row) => rows.includes(row))).toBe(true);
          } else expect(['cancelled', 'overloaded', 'deadline_exceeded']).toContain(got.code);
          if ('code' in got && got.code === 'cancelled') expect(cancelledAt).toBeDefined();
        }
        expect([gated.dispatcher.queuedRows, gated.dispatcher.queuedBytes]).toEqual([0, 0]);
        expect(gated.clock.pending).toBe(0);
        expect(await codeOf(gated.submit([1]))).toBe('unavailable');
      }),
      { numRuns: 150 },
    );
  });

  test('a cancelled request is in no batch that starts after it was cancelled', async () => {
    await fc.assert(
      fc.asyncProperty(roughRun, async (r) => {
        const { gated, requests } = await play(r);
        for (const { rows, cancelledAt } of requests) {
          if (cancelledAt === undefined) continue;
          const later = new Set(gated.seen.slice(cancelledAt).flat(2));
          expect(rows.filter((row) => later.has(row))).toEqual([]);
        }
      }),
      { numRuns: 80 },
    );
  });

  test('a lost row runs once more and alone where that is asked for, and else not again', async () => {
    const lossy = runOf(fc.oneof(...calm, { ...rough, arbitrary: rough.arbitrary.map((s) => ({ ...s, verdict: 'lost' as const })) })); // prettier-ignore
    await fc.assert(
      fc.asyncProperty(lossy, async (r) => {
        const { gated } = await play(r);
        const seen = new Set<number>();
        for (const items of gated.seen) {
          const again = items.flat().filter((row) => seen.has(row));
          if (again.length > 0) expect([r.retryLost, items.length]).toEqual([true, 1]);
          for (const row of items.flat()) seen.add(row);
        }
        const counts = new Map<number, number>();
        for (const row of gated.seen.flat(2)) counts.set(row, (counts.get(row) ?? 0) + 1);
        expect(Math.max(0, ...counts.values())).toBeLessThanOrEqual(2);
      }),
      { numRuns: 80 },
    );
  });

  test('no more rows and bytes wait than may, save one request that found nobody', async () => {
    await fc.assert(
      fc.asyncProperty(calmRun, async (r) => {
        const { most } = await play(r);
        expect(most.rows).toBeLessThanOrEqual(MAX_QUEUE_ROWS);
        expect(most.bytes).toBeLessThanOrEqual(MAX_QUEUE_BYTES);
      }),
      { numRuns: 60 },
    );
  });
});
