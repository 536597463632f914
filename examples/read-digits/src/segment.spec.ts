import { expect, test } from 'vitest';
import { cropToGrid, GRID } from './crop.js';
import { findDigits, toInk } from './segment.js';

/** A picture from text: `#` is black on white; `inverted` swaps them. */
function picture(rows: readonly string[], inverted = false): [Uint8Array, number, number] {
  const black = inverted ? 255 : 0;
  const pixels = Uint8Array.from(rows.join(''), (c) => (c === '#' ? black : 255 - black));
  return [pixels, rows[0]!.length, rows.length];
}

const two = ['............', '.##......#..', '.##......##.', '.##.......#.', '............'];

test('digits are found from left to right', () => {
  expect(findDigits(toInk(...picture(two)))).toEqual([
    { left: 1, top: 1, right: 3, bottom: 4 },
    { left: 9, top: 1, right: 11, bottom: 4 },
  ]);
});

test('light writing on dark paper reads like dark writing on light paper', () => {
  expect(findDigits(toInk(...picture(two, true)))).toEqual(findDigits(toInk(...picture(two))));
});

test('a speck is no digit, and a blank picture has none', () => {
  const speck = [
    '.............',
    '.###.........',
    '.###.........',
    '.###.........',
    '.###......#..',
    '.............',
  ];
  expect(findDigits(toInk(...picture(speck)))).toHaveLength(1);
  expect(findDigits(toInk(...picture(['....', '....', '....'])))).toEqual([]);
});

test('a crop keeps the proportions and is centred', () => {
  const bar = { width: 2, height: 20, values: new Float32Array(40).fill(1) };
  const crop = cropToGrid(bar, { left: 0, top: 0, right: 2, bottom: 20 });
  const middle = Array.from({ length: GRID }, (_, column) => crop[5 * GRID + column]);
  expect(middle).toEqual([0, 0, 0, 0, 0.5, 0.5, 0, 0, 0, 0]);
});
