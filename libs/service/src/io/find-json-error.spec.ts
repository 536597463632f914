import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findJsonError } from './find-json-error.js';

test.each([
  ['', 0, 'a value'],
  ['  ', 2, 'a value'],
  ['{"a":}', 5, 'a value'],
  ['[1,]', 3, 'a value'],
  ['[1 2]', 3, "',' or ']'"],
  ['{"a":1 "b":2}', 7, "',' or '}'"],
  ['{"a" 1}', 5, "':'"],
  ['{a:1}', 1, "a key in '\"'"],
  ['{"a":1,}', 7, "a key in '\"'"],
  ['{1:2}', 1, "a key in '\"'"],
  ['[1', 2, "',' or ']'"],
  ['{}x', 2, 'the end'],
  ['1 2', 2, 'the end'],
  ['"abc', 4, 'a string to go on'],
  ['"a\nb"', 2, 'a string to go on'],
  ['"\\x"', 1, 'a string to go on'],
  ['{"a', 3, 'a string to go on'],
  ['nul', 0, 'a value'],
  ['[NaN]', 1, 'a value'],
  ['01', 1, 'the end'],
  ['1.', 1, 'the end'],
  ["{'a':1}", 1, "a key in '\"'"],
])('%j goes wrong at %d, where %s could stand', (text, index, expected) => {
  expect(() => JSON.parse(text)).toThrow(SyntaxError);
  expect(findJsonError(text)).toEqual({ index, expected });
});

test('whatever JSON.parse refuses, it finds a mistake in, and all before that was well', () => {
  const broken = fc
    .tuple(fc.json(), fc.nat(), fc.constantFrom('', ',', '}', ']', '"', 'x', ':', '\\', '1'))
    .map(([json, at, insert]) => {
      const cut = at % (json.length + 1);
      return json.slice(0, cut) + insert + json.slice(cut + (insert === '' ? 1 : 0));
    })
    .filter((text) => {
      try {
        JSON.parse(text);
        return false;
      } catch {
        return true;
      }
    });
  fc.assert(
    fc.property(broken, (text) => {
      const { index } = findJsonError(text);
      expect(index).toBeLessThanOrEqual(text.length);
      // What stands before the mistake has none of its own: cut off there, the text only ends too soon.
      expect(findJsonError(text.slice(0, index)).index).toBe(index);
    }),
    { numRuns: 300 },
  );
});

test.each([
  ['open brackets', '['.repeat(1_000_000), 'a value'],
  ['letters of an unfinished string', `"${'a'.repeat(20_000_000)}`, 'a string to go on'],
  ['escapes in an unfinished string', `"${'\\n'.repeat(1_000_000)}`, 'a string to go on'],
  ['digits', `${'1'.repeat(20_000_000)}.`, 'the end'],
  ['spaces', ' '.repeat(20_000_000), 'a value'],
])('millions of %s are no danger', (_, text, expected) => {
  const index = expected === 'the end' ? text.length - 1 : text.length;
  expect(findJsonError(text)).toEqual({ index, expected });
});
