import type { RunnerTiming } from '@bentots/service';
import { describe, expect, test } from 'vitest';
import { RunnerCalls, type RunnerShares } from './runner-calls.js';

const timing = (queueMs: number, batchMs: number, inferMs: number, batchRows = 1): RunnerTiming => ({
  queueMs,
  batchMs,
  inferMs,
  batchRows,
});

/** Calls by a clock that the test turns. */
function createCalls(): { calls: RunnerCalls; at: (ms: number) => void } {
  const clock = { now: 1000 };
  return { calls: new RunnerCalls(() => clock.now), at: (ms) => (clock.now = 1000 + ms) };
}

function sumOf({ queueMs, batchMs, inferMs, hopMs, untoldMs }: RunnerShares): number {
  return queueMs + batchMs + inferMs + hopMs + untoldMs;
}

test('a request without runner calls spent nothing on them', () => {
  const { calls, at } = createCalls();
  at(50);
  expect(calls.size).toBe(0);
  expect(calls.shares()).toMatchObject({ callsMs: 0, calls: 0, told: [] });
  expect(sumOf(calls.shares())).toBe(0);
});

test('one call is what its runner did, and the hop around it', () => {
  const { calls, at } = createCalls();
  at(5);
  const call = calls.begin('matmul', 'predict');
  call.timed(timing(2, 1, 4, 8));
  at(15);
  call.ended();
  at(100);
  expect(calls.shares()).toEqual({
    queueMs: 2,
    batchMs: 1,
    inferMs: 4,
    hopMs: 3,
    untoldMs: 0,
    callsMs: 10,
    calls: 1,
    told: [{ runner: 'matmul', method: 'predict', callMs: 10, timing: timing(2, 1, 4, 8) }],
  });
});

test('a call of which the runner said nothing is not split', () => {
  const { calls, at } = createCalls();
  const call = calls.begin('matmul', 'fail');
  at(7);
  call.ended();
  expect(calls.shares()).toMatchObject({ untoldMs: 7, hopMs: 0, callsMs: 7 });
});

test('a call that is still under way counts up to now', () => {
  const { calls, at } = createCalls();
  at(2);
  calls.begin('matmul', 'predict');
  at(6);
  expect(calls.shares()).toMatchObject({ untoldMs: 4, callsMs: 4, told: [{ callMs: 4 }] });
  at(10);
  expect(calls.shares()).toMatchObject({ untoldMs: 8, callsMs: 8 });
});

test('a call ends once', () => {
  const { calls, at } = createCalls();
  const call = calls.begin('matmul', 'predict');
  at(3);
  call.ended();
  at(9);
  call.ended();
  expect(calls.shares()).toMatchObject({ untoldMs: 3, callsMs: 3 });
});

test('a runner that claims more time than the call took is believed its proportions only', () => {
  const { calls, at } = createCalls();
  const call = calls.begin('matmul', 'predict');
  call.timed(timing(10, 10, 20));
  at(4);
  call.ended();
  expect(calls.shares()).toMatchObject({ queueMs: 1, batchMs: 1, inferMs: 2, hopMs: 0, callsMs: 4 });
});

describe('several calls', () => {
  test('one after the other add up; the time between them is not theirs', () => {
    const { calls, at } = createCalls();
    const first = calls.begin('a', 'run');
    first.timed(timing(1, 0, 2));
    at(4);
    first.ended();
    at(10);
    const second = calls.begin('b', 'run');
    second.timed(timing(0, 3, 5));
    at(20);
    second.ended();
    const shares = calls.shares();
    expect(shares).toMatchObject({ queueMs: 1, batchMs: 3, inferMs: 7, hopMs: 3, callsMs: 14, calls: 2 });
    expect(shares.told.map(({ runner, callMs }) => [runner, callMs])).toEqual([
      ['a', 4],
      ['b', 10],
    ]);
  });

  test('at the same time share it: they add up to the time in which any was under way', () => {
    const { calls, at } = createCalls();
    const [long, short] = [calls.begin('a', 'run'), calls.begin('b', 'run')];
    short.timed(timing(10, 0, 0));
    at(10);
    short.ended();
    long.timed(timing(0, 0, 20));
    at(30);
    long.ended();
    const shares = calls.shares();
    expect(shares.callsMs).toBe(30);
    expect(sumOf(shares)).toBeCloseTo(30);
    // 10 + 30 ms of calls fit into 30 ms of time.
    expect(shares.queueMs).toBeCloseTo(7.5);
    expect(shares.inferMs).toBeCloseTo(15);
  });

  test('are told one by one up to the eighth, and counted', () => {
    const { calls, at } = createCalls();
    for (let i = 1; i <= 20; i += 1) {
      const call = calls.begin(`runner-${i}`, 'run');
      at(i);
      call.ended();
    }
    const shares = calls.shares();
    expect(shares.calls).toBe(20);
    expect(shares.told.map(({ runner }) => runner)).toEqual(
      Array.from({ length: 8 }, (_, index) => `runner-${index + 1}`),
    );
    expect(shares.untoldMs).toBeCloseTo(20);
  });
});
