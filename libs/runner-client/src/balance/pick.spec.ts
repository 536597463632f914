import fc from 'fast-check';
import { expect, test } from 'vitest';
import { backoffMs } from '../replicas/backoff.js';
import { pickLeast } from './pick.js';

const loads = (...numbers: number[]): { inFlight: number }[] => numbers.map((inFlight) => ({ inFlight }));

test('the one with the least work in flight is picked', () => {
  expect(pickLeast(loads(3, 1, 2), 0)).toBe(1);
  expect(pickLeast([], 0)).toBe(-1);
});

test('equals take turns', () => {
  const picked: number[] = [];
  for (let turn = 0; picked.length < 6; turn = (picked.at(-1) ?? 0) + 1)
    picked.push(pickLeast(loads(0, 0, 0), turn));
  expect(picked).toEqual([0, 1, 2, 0, 1, 2]);
});

test('no candidate has less work than the picked one, whatever the turn', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 5 }), { minLength: 1 }), fc.nat(), (numbers, turn) => {
      expect(numbers[pickLeast(loads(...numbers), turn)]).toBe(Math.min(...numbers));
    }),
    { seed: 1 },
  );
});

test('pauses double from the shortest to the longest, and their upper half is random', () => {
  const rule = (random: number) => ({ minBackoffMs: 50, maxBackoffMs: 1000, random: () => random });
  expect([0, 1, 2, 3, 6, 100].map((failures) => backoffMs(failures, rule(1)))).toEqual([
    0, 50, 100, 200, 1000, 1000,
  ]);
  expect([0, 1, 2, 3, 6, 100].map((failures) => backoffMs(failures, rule(0)))).toEqual([
    0, 25, 50, 100, 500, 500,
  ]);
});
