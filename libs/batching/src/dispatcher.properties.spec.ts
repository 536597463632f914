import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { codeOf, GatedDispatcher, type Rows } from '../test/gated-batches.js';
import { settled } from '../test/manual-clock.js';

/** What a run does, step by step. */
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('submit' as const), rows: fc.integer({ min: 1, max: 9 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('cancel' as const), which: fc.nat(30) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('open' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('throw' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.integer({ min: 1, max: 40 }) }),
  },
);
const run = fc.record({
  maxBatchSize: fc.integer({ min: 1, max: 6 }),
  maxLatencyMs: fc.constantFrom(20, 1000),
  steps: fc.array(step, { maxLength: 40 }),
});

interface Request {
  readonly rows: Rows;
  readonly abort: AbortController;
  readonly outcome: Promise<unknown>;
  /** How many batches had been started when it was cancelled. */
  cancelledAt: number | undefined;
}

/** Plays the steps, then lets every batch through until nothing is left. */
async function play({
  maxBatchSize,
  maxLatencyMs,
  steps,
}: typeof run extends fc.Arbitrary<infer R> ? R : never) {
  const gated = new GatedDispatcher({ maxBatchSize, maxLatencyMs });
  const requests: Request[] = [];
  for (const s of steps) {
    if (s.do === 'submit') {
      const abort = new AbortController();
      // Every row is a number of its own, in order of arrival.
      const first = requests.reduce((sum, request) => sum + request.rows.length, 0);
      const rows = Array.from({ length: s.rows }, (_, i) => first + i);
      const answer = gated.submit(rows, { signal: abort.signal });
      const outcome = answer.then((output) => output, (error: { code?: unknown }) => error.code); // prettier-ignore
      requests.push({ rows, abort, outcome, cancelledAt: undefined });
    }
    const target = s.do === 'cancel' ? requests[s.which] : undefined;
    if (target !== undefined && target.cancelledAt === undefined) {
      target.cancelledAt = gated.batches.length;
      target.abort.abort();
    }
    if (s.do === 'open') await gated.batches.at(-1)?.open();
    if (s.do === 'throw') await gated.batches.at(-1)?.throw('boom');
    if (s.do === 'advance') await gated.clock.advance(s.ms);
    await settled();
  }
  const closed = gated.dispatcher.close();
  const done = closed.then(() => 'closed');
  while ((await Promise.race([done, settled()])) !== 'closed') await gated.batches.at(-1)?.open();
  return { gated, requests };
}

describe('whatever happens to a dispatcher', () => {
  test('batches keep to maxBatchSize rows and to the order of arrival, and no row is lost or run twice', async () => {
    await fc.assert(
      fc.asyncProperty(run, async (r) => {
        const { gated, requests } = await play({ ...r, steps: r.steps.filter((s) => s.do !== 'throw') });
        for (const items of gated.seen) expect(items.flat().length).toBeLessThanOrEqual(r.maxBatchSize);
        const executed = gated.seen.flat(2);
        expect(executed).toEqual([...new Set(executed)].sort((a, b) => a - b));
        const outcomes = await Promise.all(requests.map((request) => request.outcome));
        const answered = requests
          .filter((_, i) => Array.isArray(outcomes[i]))
          .flatMap((request) => request.rows);
        expect(executed).toEqual(expect.arrayContaining(answered));
      }),
      { numRuns: 60 },
    );
  });

  test('every request settles: with its own rows in order, or with an error that fits', async () => {
    await fc.assert(
      fc.asyncProperty(run, async (r) => {
        const { gated, requests } = await play(r);
        for (const { rows, outcome, cancelledAt } of requests) {
          const got = await outcome;
          if (Array.isArray(got)) expect(got).toEqual(rows.map((n) => n * 10));
          else expect(['cancelled', 'overloaded', undefined]).toContain(got);
          if (got === 'cancelled') expect(cancelledAt).toBeDefined();
        }
        expect(gated.dispatcher.queuedRows).toBe(0);
        expect(gated.clock.pending).toBe(0);
        expect(await codeOf(gated.submit([1]))).toBe('unavailable');
      }),
      { numRuns: 60 },
    );
  });

  test('a cancelled request is in no batch that starts after it was cancelled', async () => {
    await fc.assert(
      fc.asyncProperty(run, async (r) => {
        const { gated, requests } = await play(r);
        for (const { rows, cancelledAt } of requests) {
          if (cancelledAt === undefined) continue;
          const later = new Set(gated.seen.slice(cancelledAt).flat(2));
          expect(rows.filter((row) => later.has(row))).toEqual([]);
        }
      }),
      { numRuns: 60 },
    );
  });
});
