import { Tensor } from '@bentots/service';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NDArray, NDArray_DType as Wire } from '../wire/bentoml/grpc/v1/service.gen.js';
import { ndarrayFromTensor, tensorFromNdarray } from './ndarray.js';

const EMPTY = NDArray.decode(new Uint8Array());

/** Through the bytes of the wire and back. */
function roundTrip(tensor: Tensor): Tensor {
  return tensorFromNdarray(NDArray.decode(NDArray.encode(ndarrayFromTensor(tensor)).finish()));
}

/** Shapes of one to four dimensions, zero lengths included. */
const shapes = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 4 });

function tensors(dtype: Tensor['dtype'], bytesPerItem: number): fc.Arbitrary<Tensor> {
  return shapes.chain((shape) => {
    const size = shape.reduce((product, length) => product * length, 1) * bytesPerItem;
    return fc
      .uint8Array({ minLength: size, maxLength: size })
      .map((bytes) => Tensor.fromBytes(dtype, shape, bytes));
  });
}

describe.each([
  ['float32', 4],
  ['float64', 8],
  ['int32', 4],
  ['uint32', 4],
  ['int64', 8],
  ['uint64', 8],
] as const)('a %s tensor', (dtype, bytesPerItem) => {
  test('comes back with dtype, shape and every element, NaN and the extremes included', () => {
    fc.assert(
      fc.property(tensors(dtype, bytesPerItem), (tensor) => {
        const back = roundTrip(tensor);
        expect([back.dtype, back.shape]).toEqual([dtype, tensor.shape]);
        expect(back.data).toEqual(tensor.data);
      }),
    );
  });
});

describe.each([
  ['int8', 1, 'int32'],
  ['int16', 2, 'int32'],
  ['uint8', 1, 'uint32'],
  ['uint16', 2, 'uint32'],
] as const)('a %s tensor', (dtype, bytesPerItem, wide) => {
  test(`travels as ${wide} and loses nothing`, () => {
    fc.assert(
      fc.property(tensors(dtype, bytesPerItem), (tensor) => {
        const back = roundTrip(tensor);
        expect([back.dtype, back.shape]).toEqual([wide, tensor.shape]);
        expect(back.astype(dtype).data).toEqual(tensor.data);
      }),
    );
  });
});

test('booleans and strings come back', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean()), fc.array(fc.string()), (flags, words) => {
      const bools = roundTrip(new Tensor('bool', Uint8Array.from(flags, Number), [flags.length]));
      expect([bools.dtype, bools.toNested()]).toEqual(['bool', flags]);
      const strings = roundTrip(new Tensor('string', words, [words.length, 1]));
      expect([strings.dtype, strings.toNested()]).toEqual(['string', words.map((word) => [word])]);
    }),
  );
});

describe('what a client may leave out', () => {
  test('the shape: one dimension', () => {
    const message = { ...EMPTY, dtype: Wire.DTYPE_INT32, int32Values: [1, 2, 3] };
    expect(tensorFromNdarray(message).shape).toEqual([3]);
  });

  test('the dtype: told by the one list that has values', () => {
    expect(tensorFromNdarray({ ...EMPTY, doubleValues: [1.5] }).dtype).toBe('float64');
  });
});

describe('invalid_argument says what is wrong', () => {
  test.each([
    [
      { dtype: 123 as Wire, floatValues: [1] },
      'ndarray has the unknown dtype 123; it may be DTYPE_FLOAT (1)',
    ],
    [
      { dtype: Wire.DTYPE_FLOAT, doubleValues: [1] },
      'DTYPE_FLOAT has values in double_values; put them in float_values',
    ],
    [{ stringValues: ['a'], floatValues: [1] }, 'values in float_values and string_values; set dtype'],
    [{ shape: [2] }, 'neither a dtype nor values'],
    [
      { dtype: Wire.DTYPE_FLOAT, shape: [2, 2], floatValues: [1, 2, 3] },
      'shape [2, 2] holds 4 elements, the data has 3',
    ],
    [{ dtype: Wire.DTYPE_FLOAT, shape: [-1, -3], floatValues: [1, 2, 3] }, 'shape [-1, -3]'],
  ])('%o', (fields, message) => {
    const read = (): Tensor => tensorFromNdarray({ ...EMPTY, ...fields });
    expect(read).toThrow(message);
    expect(read).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
  });
});
