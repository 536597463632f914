import { expect, test } from 'vitest';
import { RunnerCalls } from './runner-calls.js';
import { formatServerTiming } from './server-timing.js';

/** Names of the entries with their `dur`, or with what else they say. */
function parse(header: string | undefined): Record<string, number | string> {
  const entries = (header ?? '').matchAll(/([\w-]+)(?:;dur=(-?[\d.]+))?(?:;desc="([^"]*)")?(?:, |$)/g);
  return Object.fromEntries(
    [...entries].map(([, name = '', dur, desc]) => [name, dur ? Number(dur) : (desc ?? '')]),
  );
}

function sumOf(entries: Record<string, number | string>, names: readonly string[]): number {
  return names.reduce((sum, name) => sum + Number(entries[name]), 0);
}

/** Turns by itself what the test asks for, else stands still. */
function createCalls(): { calls: RunnerCalls; clock: { now: number } } {
  const clock = { now: 0 };
  return { calls: new RunnerCalls(() => clock.now), clock };
}

test('a request that called no runner has no timing', () => {
  expect(formatServerTiming(new RunnerCalls(), performance.now())).toBeUndefined();
});

test('one call: the entries add up to the total, and the size of the batch is told', () => {
  const { calls, clock } = createCalls();
  const call = calls.begin('matmul', 'predict');
  call.timed({ queueMs: 1.239, batchMs: 0.5, inferMs: 3, batchRows: 8 });
  clock.now = 6;
  call.ended();
  const entries = parse(formatServerTiming(calls, performance.now() - 10));
  expect(Object.keys(entries)).toEqual(['queue', 'batch', 'infer', 'size', 'hop', 'app', 'total']);
  expect(entries).toMatchObject({ queue: 1.24, batch: 0.5, infer: 3, size: '8', hop: 1.26 });
  expect(Number(entries['total'])).toBeGreaterThanOrEqual(10);
  expect(sumOf(entries, ['queue', 'batch', 'infer', 'hop', 'app'])).toBeCloseTo(Number(entries['total']), 1);
});

test('a call that failed is the time of its runner, and nothing that nobody knows', () => {
  const { calls, clock } = createCalls();
  const call = calls.begin('matmul', 'fail');
  clock.now = 6;
  call.ended();
  const entries = parse(formatServerTiming(calls, performance.now() - 10));
  expect(Object.keys(entries)).toEqual(['runner', 'app', 'total']);
  expect(entries['runner']).toBe(6);
});

test('several calls share the entries, and are told one by one behind them', () => {
  const { calls, clock } = createCalls();
  const first = calls.begin('a', 'embed');
  first.timed({ queueMs: 1, batchMs: 0, inferMs: 2, batchRows: 4 });
  clock.now = 4;
  first.ended();
  const second = calls.begin('b', 'rank');
  clock.now = 10;
  second.ended();
  const header = formatServerTiming(calls, performance.now() - 20);
  const entries = parse(header);
  expect(entries).toMatchObject({ queue: 1, batch: 0, infer: 2, size: '4', hop: 1, runner: 6, calls: '2' });
  const shared = ['queue', 'batch', 'infer', 'hop', 'runner', 'app'];
  expect(sumOf(entries, shared)).toBeCloseTo(Number(entries['total']), 1);
  expect(header).toContain(
    'call-1;dur=4;desc="a.embed queue=1 batch=0 infer=2 size=4", call-2;dur=6;desc="b.rank"',
  );
});

test('names that a header cannot carry are made to fit', () => {
  const { calls } = createCalls();
  for (const method of ['größe', 'a"b\\c\n']) calls.begin('a', method).ended();
  const header = formatServerTiming(calls, performance.now());
  expect(header).toContain('desc="a.gr??e"');
  expect(header).toContain('desc="a.a?b?c?"');
});
