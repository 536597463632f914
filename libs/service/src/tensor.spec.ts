import fc from 'fast-check';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { caught } from '../test/caught.js';
import { type DType, DTYPES } from './dtype.js';
import type { Nested } from './nested.js';
import { hasDType, Tensor } from './tensor.js';

const NUMBERS = ['float32', 'float64', 'int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32'] as const;

/** Tensors of small integers, which every dtype holds exactly. */
const tensors = fc
  .record({
    dtype: fc.constantFrom<DType>(...NUMBERS, 'int64', 'uint64'),
    shape: fc.array(fc.nat(4), { minLength: 1, maxLength: 4 }),
  })
  .map(({ dtype, shape }) => {
    const size = shape.reduce((product, length) => product * length, 1);
    const data = Array.from({ length: size }, (_, i) => i % 100);
    return Tensor.from(data, dtype).reshape(shape);
  });

const cuts = tensors.chain((tensor) =>
  fc.nat(tensor.rank - 1).chain((dim) => {
    const length = tensor.shape[dim] ?? 0;
    return fc.record({ tensor: fc.constant(tensor), dim: fc.constant(dim), at: fc.nat(length) });
  }),
);

describe('properties', () => {
  test('cut anywhere along any dimension and joined again, a tensor is itself', () => {
    fc.assert(
      fc.property(cuts, ({ tensor, dim, at }) => {
        const length = tensor.shape[dim] ?? 0;
        const joined = Tensor.concat([tensor.slice(0, at, dim), tensor.slice(at, length, dim)], dim);
        expect(joined).toEqual(tensor);
      }),
    );
  });

  test('nested and read again, a tensor is itself', () => {
    const withoutEmptyOuter = tensors.filter(({ shape }) => !shape.slice(0, -1).includes(0));
    fc.assert(
      fc.property(withoutEmptyOuter, (tensor) => {
        expect(Tensor.from(tensor.toNested(), tensor.dtype)).toEqual(tensor);
      }),
    );
  });

  test('its bytes make the same tensor, at any offset', () => {
    fc.assert(
      fc.property(tensors, fc.nat(9), (tensor, offset) => {
        const bytes = new Uint8Array(tensor.byteLength + offset);
        bytes.set(tensor.bytes(), offset);
        expect(Tensor.fromBytes(tensor.dtype, tensor.shape, bytes.subarray(offset))).toEqual(tensor);
      }),
    );
  });

  test('a slice along any dimension shows the entries that nested arrays have there', () => {
    const cutNested = (nested: unknown, at: number, dim: number): unknown => {
      if (!Array.isArray(nested)) throw new Error('not nested that deep');
      return dim === 0 ? nested.slice(0, at) : nested.map((inner: unknown) => cutNested(inner, at, dim - 1));
    };
    fc.assert(
      fc.property(cuts, ({ tensor, dim, at }) => {
        expect(tensor.slice(0, at, dim).toNested()).toEqual(cutNested(tensor.toNested(), at, dim));
      }),
    );
  });
});

describe('making', () => {
  test.each<[string, Nested, DType, number[]]>([
    ['numbers are float32', [1, 2.5], 'float32', [2]],
    ['booleans are bool', [[true], [false]], 'bool', [2, 1]],
    ['strings are string', ['a', 'b', 'c'], 'string', [3]],
    ['bigints are int64', [1n], 'int64', [1]],
    ['a single number has rank 0', 7, 'float32', []],
    ['an empty array has one dimension', [], 'float32', [0]],
    ['empty rows keep their number', [[], [], []], 'float32', [3, 0]],
  ])('%s', (_, nested, dtype, shape) => {
    const tensor = Tensor.from(nested);
    expect(tensor).toMatchObject({ dtype, shape, rank: shape.length });
  });

  test.each<[string, Nested, DType, string]>([
    ['a short row', [[1, 2], [3]], 'float32', 'ragged array: [1] is an array of 1, expected an array of 2'],
    [
      'a long row',
      [
        [[1], [2]],
        [[3], [4, 5]],
      ],
      'float32',
      '[1][1] is an array of 2, expected an array of 1',
    ],
    ['a value where a row stood', [[1], 2], 'float32', 'ragged array: [1] is the number 2'],
    ['a row where a value stood', [1, [2]], 'float32', 'ragged array: [1] is an array of 1'],
    [
      'a string among numbers',
      [
        [1, 2],
        [3, '4f'],
      ],
      'float32',
      '[1][1] is the string "4f", expected a number',
    ],
    ['a fraction among integers', [1, 2.5], 'int32', '[1] is the number 2.5, expected an integer from'],
    ['a value out of range', [256], 'uint8', '[0] is the number 256, expected an integer from 0 to 255'],
    ['a number that has lost digits', [2 ** 53], 'int64', '[0] is the number 9007199254740992'],
    ['a bigint out of range', [-1n], 'uint64', '[0] is the number -1, expected an exact integer from 0'],
    ['a number among booleans', [true, 1], 'bool', '[1] is the number 1, expected a boolean'],
    ['a single value of another kind', 'x', 'float64', 'the value is the string "x", expected a number'],
  ])('%s is refused with its place', async (_, nested, dtype, message) => {
    const error = await caught(() => Tensor.from(nested, dtype));
    expect(error.code).toBe('invalid_argument');
    expect(error.message).toContain(message);
  });

  test('rows that promise more than they hold are refused before memory is taken', async () => {
    const wide = new Array<number>(30_000).fill(0);
    const promise = [wide, ...new Array<number[]>(29_999).fill([])];
    const before = process.memoryUsage().arrayBuffers;
    expect((await caught(() => Tensor.from(promise))).message).toContain('[1] is an empty array');
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100e6);
  });

  test('arrays nested beyond 32 levels are refused', async () => {
    let deep: Nested = 1;
    for (let i = 0; i < 33; i += 1) deep = [deep];
    expect((await caught(() => Tensor.from(deep))).message).toContain('deeper than 32 levels');
  });

  test('data of another length or kind than the shape and dtype say is refused', async () => {
    const short = await caught(() => new Tensor('int8', new Int8Array(5), [2, 3]));
    expect(short.message).toBe('shape [2, 3] holds 6 elements, the data has 5');
    // @ts-expect-error float32 data is a Float32Array
    const other = await caught(() => new Tensor('float32', new Float64Array(1), [1]));
    expect(other.message).toContain('another array kind');
    expect((await caught(() => Tensor.zeros('bool', [-1]))).message).toContain('no whole number');
  });

  test('zeros are the nothing of each dtype', () => {
    expect(Tensor.zeros('float32', [2]).toNested()).toEqual([0, 0]);
    expect(Tensor.zeros('bool', [1]).toNested()).toEqual([false]);
    expect(Tensor.zeros('string', [1, 1]).toNested()).toEqual([['']]);
  });
});

describe('views', () => {
  test('a slice of the first dimension and a reshape share memory', () => {
    const tensor = Tensor.from([[1, 2], [3, 4], [5, 6]]); // prettier-ignore
    tensor.slice(1, 2).data[0] = 30;
    tensor.reshape([6]).data[5] = 60;
    expect(tensor.toNested()).toEqual([[1, 2], [30, 4], [5, 60]]); // prettier-ignore
  });

  test('aligned bytes are viewed, others copied', () => {
    const bytes = new Uint8Array(new ArrayBuffer(12));
    expect(Tensor.fromBytes('float32', [2], bytes.subarray(4)).data.buffer).toBe(bytes.buffer);
    expect(Tensor.fromBytes('float32', [2], bytes.subarray(3, 11)).data.buffer).not.toBe(bytes.buffer);
  });

  test('one tensor alone is its own concatenation', () => {
    const tensor = Tensor.from([1]);
    expect(Tensor.concat([tensor])).toBe(tensor);
  });

  test('strings slice and join like numbers', () => {
    const words = Tensor.from([['a', 'b'], ['c', 'd']]); // prettier-ignore
    expect(Tensor.concat([words.slice(0, 1, 1), words.slice(1, 2, 1)], 1)).toEqual(words);
    expect(words.byteLength).toBe(0);
  });

  test.each<[string, () => unknown, string]>([
    ['a slice beyond the end', () => Tensor.zeros('int8', [2]).slice(1, 3), 'slice 1 to 3 is outside dimension 0 of length 2'],
    ['a dimension that is not there', () => Tensor.zeros('int8', [2]).slice(0, 1, 1), 'shape [2] has no dimension 1'],
    ['a shape of another size', () => Tensor.zeros('int8', [6]).reshape([4]), 'holds 4 elements, the data has 6'],
    ['an open dimension that does not come out even', () => Tensor.zeros('int8', [6]).reshape([4, -1]), '6 elements do not fit shape [4, -1]'],
    ['two open dimensions', () => Tensor.zeros('int8', [6]).reshape([-1, -1]), 'no whole number'],
    ['joining nothing', () => Tensor.concat([]), 'at least one tensor'],
    ['joining rows of other lengths', () => Tensor.concat([Tensor.zeros('int8', [1, 2]), Tensor.zeros('int8', [1, 3])]), 'shapes [1, 2] and [1, 3] along dimension 0'],
    ['joining other ranks', () => Tensor.concat([Tensor.zeros('int8', [1]), Tensor.zeros('int8', [1, 1])]), 'cannot concat shapes'],
    ['joining other dtypes', () => Tensor.concat<DType>([Tensor.zeros('int8', [1]), Tensor.zeros('bool', [1])]), 'dtype int8 and bool'],
    ['the bytes of strings', () => Tensor.from('a').bytes(), 'no raw bytes'],
    ['strings out of bytes', () => Tensor.fromBytes('string', [0], new Uint8Array()), 'no raw bytes'],
    ['too few bytes', () => Tensor.fromBytes('int32', [2], new Uint8Array(7)), 'int32 tensor of shape [2] is 8 bytes, got 7'],
  ])('%s is refused', async (_, fn, message) => {
    const error = await caught(fn);
    expect(error.code).toBe('invalid_argument');
    expect(error.message).toContain(message);
  }); // prettier-ignore
});

describe('64-bit integers', () => {
  test('are numbers in nested arrays while those are exact', () => {
    expect(Tensor.from([-5n, 2n ** 53n - 1n]).toNested()).toEqual([-5, 2 ** 53 - 1]);
  });

  test('are refused beyond that, and still read from the data', async () => {
    const tensor = Tensor.from([2n ** 53n + 1n]);
    expect(await caught(() => tensor.toNested())).toMatchObject({ code: 'internal' });
    expect(tensor.data[0]).toBe(2n ** 53n + 1n);
    expect(tensor.astype('string').toNested()).toEqual(['9007199254740993']);
  });
});

describe('astype', () => {
  test.each<[Nested, DType, DType, unknown[]]>([
    [[1.9, -1.9], 'float64', 'int32', [1, -1]],
    [[300, -1], 'int16', 'uint8', [44, 255]],
    [[0, 2, -3], 'float32', 'bool', [false, true, true]],
    [[true, false], 'bool', 'float32', [1, 0]],
    [[true, false], 'bool', 'string', ['true', 'false']],
    [[4, 2], 'uint8', 'string', ['4', '2']],
    [['1.5', ' 2 '], 'string', 'float64', [1.5, 2]],
    [['300'], 'string', 'uint8', [44]],
    [['0', '1'], 'string', 'bool', [false, true]],
    [['-7'], 'string', 'int64', [-7]],
    [[2.7], 'float32', 'int64', [2]],
    [[5n], 'int64', 'float32', [5]],
    [[257n], 'int64', 'uint8', [1]],
    [[-1n + 2n ** 53n], 'int64', 'uint64', [2 ** 53 - 1]],
  ])('%o of %s as %s is %o', (nested, from, to, expected) => {
    const cast = Tensor.from(nested, from).astype(to);
    expect(cast.dtype).toBe(to);
    expect(cast.toNested()).toEqual(expected);
  });

  test('wraps a negative 64-bit integer without losing digits', () => {
    expect(Tensor.from([-1n]).astype('uint64').data[0]).toBe(2n ** 64n - 1n);
    expect(Tensor.from(['9007199254740993']).astype('int64').data[0]).toBe(9007199254740993n);
  });

  test.each<[Nested, DType, string]>([
    [['2f'], 'uint8', "'2f' is not an integer from 0 to 255"],
    [[''], 'float32', "'' is not a number"],
    [[Number.NaN], 'int64', "'NaN' is not an exact integer"],
  ])('%o as %s is refused', async (nested, to, message) => {
    expect((await caught(() => Tensor.from(nested).astype(to))).message).toContain(message);
  });

  test('of the same dtype is the same tensor', () => {
    const tensor = Tensor.from([1]);
    expect(tensor.astype('float32')).toBe(tensor);
  });
});

test('a tensor prints in JSON as nested arrays, of rank 0 as a single value', () => {
  expect(JSON.stringify({ all: Tensor.from([[1, 2]]), one: Tensor.from(3) })).toBe('{"all":[[1,2]],"one":3}');
});

test('a tensor of another copy of the library is a tensor', () => {
  const foreign: unknown = { [Symbol.for('bentots.Tensor')]: true };
  expect(foreign).toBeInstanceOf(Tensor);
  expect({ dtype: 'float32', data: [], shape: [] }).not.toBeInstanceOf(Tensor);
});

test('every dtype finds its own array kind and no other', () => {
  for (const dtype of NUMBERS) {
    const matching = NUMBERS.filter((other) => DTYPES[dtype].holds(DTYPES[other].allocate(1)));
    expect(matching).toEqual([dtype]);
  }
});

test('types follow the dtype', () => {
  expectTypeOf(Tensor.from([[1]])).toEqualTypeOf<Tensor<'float32'>>();
  expectTypeOf(Tensor.from(['a'])).toEqualTypeOf<Tensor<'string'>>();
  expectTypeOf(Tensor.from([1], 'int64').data).toEqualTypeOf<BigInt64Array>();
  expectTypeOf(Tensor.zeros('bool', [1]).slice(0, 1)).toEqualTypeOf<Tensor<'bool'>>();
  expectTypeOf<Tensor<'int8'>>().toExtend<Tensor>();
  expectTypeOf<Tensor<'int8'>>().not.toExtend<Tensor<'uint8'>>();
  const some: Tensor = Tensor.from([1]);
  if (hasDType(some, 'float32')) expectTypeOf(some.data).toEqualTypeOf<Float32Array>();
});
