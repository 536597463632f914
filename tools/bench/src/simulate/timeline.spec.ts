import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Timeline } from './timeline.js';

const runAll = (timeline: Timeline): void => {
  while (timeline.next < Infinity) timeline.step();
};

test('events happen in the order of their times, and equals in the order in which they were planned', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20)), (delays) => {
      const timeline = new Timeline();
      const seen: (readonly [at: number, index: number])[] = [];
      delays.forEach((delay, index) => timeline.after(delay, () => seen.push([timeline.now, index])));
      runAll(timeline);
      const expected = delays.map((delay, index) => [delay, index] as const);
      expect(seen).toEqual(expected.sort(([a, i], [b, j]) => a - b || i - j));
    }),
  );
});

test('an event that was taken back does not happen, and an event may plan others', () => {
  const timeline = new Timeline();
  const seen: string[] = [];
  const cancel = timeline.after(1, () => seen.push('taken back'));
  timeline.after(2, () => timeline.after(3, () => seen.push(`at ${timeline.now}`)));
  cancel();
  expect(timeline.next).toBe(2);
  runAll(timeline);
  expect(seen).toEqual(['at 5']);
});
