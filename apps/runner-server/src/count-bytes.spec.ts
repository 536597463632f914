import { FileValue, Tensor } from '@bentots/service';
import { expect, test } from 'vitest';
import { countBytes } from './count-bytes.js';

test.each([
  ['a tensor of numbers', Tensor.from([1, 2, 3], 'float32'), 12],
  ['a tensor of texts', Tensor.from(['ab', 'c']), 3],
  ['bytes', new Uint8Array(100), 100],
  ['a file', new FileValue(new Uint8Array(50)), 50],
  ['a text', 'abcd', 4],
  ['several arguments, and the list that holds them', [new Uint8Array(10), 'abc'], 8 + 13],
  ['named ones', { ids: Tensor.from([1], 'float64'), name: 'x' }, 8 + 9],
  ['nothing', undefined, 8],
])('%s weighs what its data weighs', (_, value, bytes) => {
  expect(countBytes(value)).toBe(bytes);
});
