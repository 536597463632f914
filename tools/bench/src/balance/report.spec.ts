import { expect, test } from 'vitest';
import type { Sent } from '../load/open-loop.js';
import { aimsOf, countBalance, formatBalance } from './report.js';

const sent = (pid: number, workMs: number, tookMs: number, status = 200): Sent => ({
  ...{ dueMs: 0, sentMs: 1, endedMs: 1 + tookMs },
  ...{ status, body: status === 200 ? JSON.stringify({ pid, workMs }) : '', timing: undefined },
});

test('calls are counted for each worker, and failures apart', () => {
  const all = [sent(7, 40, 41), sent(5, 10, 11), sent(6, 10, 12), sent(6, 10, 13), sent(0, 0, 9, 503)];
  expect(countBalance(all)).toEqual({
    ...{ answered: 4, failed: 1, p50Ms: 12, p99Ms: 41 },
    calls: [
      { workMs: 10, count: 2 },
      { workMs: 10, count: 1 },
      { workMs: 40, count: 1 },
    ],
  });
});

test('both ways stand beside each other, with an aim for each load', () => {
  const samples = [
    { way: 'turns' as const, perSecond: 60, round: 1, ...countBalance([sent(1, 10, 10), sent(2, 40, 80)]) },
    { way: 'pool' as const, perSecond: 60, round: 1, ...countBalance([sent(1, 10, 10), sent(2, 40, 40)]) },
  ];
  expect(aimsOf(samples)).toMatchObject([{ measured: '0.5', reached: true }]);
  const [, , turns, pool] = formatBalance(samples).split('\n');
  expect(turns).toContain(
    '| in turn                 | 10 ms: 50 % · 40 ms: 50 %         | 10     | 80     | 0      |',
  );
  expect(pool).toContain(
    '| the worker that is free | 10 ms: 50 % · 40 ms: 50 %         | 10     | 40     | 0      |',
  );
});
