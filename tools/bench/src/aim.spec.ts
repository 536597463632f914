import { expect, test } from 'vitest';
import { atLeast, atMost, formatAims } from './aim.js';

test('an aim is reached at its limit, and missed beyond it', () => {
  expect(atMost('p99', 10, 10, 'ms')).toEqual({
    what: 'p99',
    aim: '≤ 10 ms',
    measured: '10 ms',
    reached: true,
  });
  expect(atMost('p99', 10, 10.1).reached).toBe(false);
  expect(atLeast('gain', 5, 5).reached).toBe(true);
  expect(atLeast('gain', 5, 4.99)).toMatchObject({ aim: '≥ 5', measured: '4.99', reached: false });
});

test('what could not be measured is not reached', () => {
  expect(atMost('p99', 10, NaN)).toMatchObject({ measured: '-', reached: false });
  expect(atLeast('gain', 5, NaN).reached).toBe(false);
});

test('the table says of each aim whether it is reached', () => {
  const lines = formatAims([atMost('cost', 0.1, 0.2), atLeast('gain', 5, 7)]).split('\n');
  expect(lines).toEqual([
    '| what | aim   | measured | reached |',
    '| ---- | ----- | -------- | ------- |',
    '| cost | ≤ 0.1 | 0.2      | **no**  |',
    '| gain | ≥ 5   | 7        | yes     |',
  ]);
});
