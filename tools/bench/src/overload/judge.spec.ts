import { expect, test } from 'vitest';
import type { Sent } from '../load/open-loop.js';
import { judge } from './judge.js';

const sent = (dueMs: number, tookMs: number, status: number, lagMs = 0): Sent => ({
  ...{ dueMs, status, body: '', timing: undefined },
  ...{ sentMs: dueMs + lagMs, endedMs: dueMs + lagMs + tookMs },
});

test('each request is good, late, refused, expired or lost', () => {
  const all = [sent(0, 50, 200), sent(1, 101, 200), sent(2, 3, 503), sent(3, 100, 504), sent(4, 9, 0), sent(5, 9, 500)]; // prettier-ignore
  expect(judge(all, 0, 2000, 100)).toMatchObject({
    ...{ good: 1, late: 1, refused: 1, expired: 1, lost: 2 },
    ...{ offeredPerSecond: 3, goodPerSecond: 0.5 },
  });
});

test('only what was due in the period counts', () => {
  const all = [sent(999, 1, 200), sent(1000, 1, 200), sent(1999, 1, 200), sent(2000, 1, 200)];
  expect(judge(all, 1000, 2000, 100)).toMatchObject({ good: 2, goodPerSecond: 2 });
});

test('an expired request was not quick, however early its 504 came; refusals do not make admission look quick', () => {
  const { admittedP99Ms, admittedP50Ms, refusedMostMs } = judge(
    [sent(0, 20, 200), sent(1, 2, 504), sent(2, 4, 503)],
    0,
    1000,
    100,
  );
  expect([admittedP50Ms, admittedP99Ms, refusedMostMs]).toEqual([20, 100, 4]);
});

test("the server's own time is told apart from what the client saw", () => {
  const timed = (one: Sent, totalMs: number): Sent => ({ ...one, timing: { runnerMs: 0, totalMs } });
  const all = [timed(sent(0, 20, 200), 18), timed(sent(1, 9, 503), 1), timed(sent(2, 9, 503), 2)];
  expect(judge(all, 0, 1000, 100)).toMatchObject({
    ...{ serverAnsweredP99Ms: 18, serverRefusedP99Ms: 2, serverRefusedMostMs: 2, refusedMostMs: 9 },
  });
});

test("the generator's lateness is told apart from the server's", () => {
  const { lagP99Ms, refusedMostMs } = judge([sent(0, 2, 503, 30)], 0, 1000, 100);
  expect([lagP99Ms, refusedMostMs]).toEqual([30, 2]);
});
