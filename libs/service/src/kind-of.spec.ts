import { expect, test } from 'vitest';
import { kindOf } from './kind-of.js';

class Crop {}

test.each<[unknown, string]>([
  [null, 'null'],
  [undefined, 'undefined'],
  ['2f', 'the string "2f"'],
  ['a "quoted" word', 'the string "a \\"quoted\\" word"'],
  ['x'.repeat(60), `the string "${'x'.repeat(40)}…"`],
  [-0.5, 'the number -0.5'],
  [Number.NaN, 'the number NaN'],
  [7n, 'the number 7'],
  [false, 'the boolean false'],
  [[], 'an empty array'],
  [[1, 2], 'an array of 2'],
  [{}, 'an object'],
  [Object.create(null), 'an object'],
  [new Crop(), 'an object of class Crop'],
  [() => 1, 'a function'],
  [Symbol('s'), 'a symbol'],
])('%o is %s', (value, words) => {
  expect(kindOf(value)).toBe(words);
});
