import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { asText, body } from '../../test/bytes.js';
import { caught } from '../../test/caught.js';
import type { DType } from '../dtype.js';
import { Tensor } from '../tensor.js';
import type { Content } from './descriptor.js';
import { tensor, type TensorOptions } from './tensor.js';

type Options = TensorOptions<DType>;

describe('reading JSON', () => {
  test.each<[string, Options, DType, number[]]>([
    ['[1,2,3]', {}, 'float32', [3]],
    ['[[1,2],[3,4]]', { dtype: 'int32' }, 'int32', [2, 2]],
    ['5', {}, 'float32', []],
    ['[["a"],["b"]]', { dtype: 'string' }, 'string', [2, 1]],
    ['[true,false]', { dtype: 'bool' }, 'bool', [2]],
    ['[[1,2],[3,4],[5,6]]', { shape: [-1, 2], enforceShape: true }, 'float32', [3, 2]],
    ['[1,2,3,4]', { shape: [-1, 2] }, 'float32', [2, 2]],
    ['[1,2,3,4]', { shape: [1, 4] }, 'float32', [1, 4]],
    ['[]', { shape: [-1] }, 'float32', [0]],
  ])('%s with %j is %s of shape %j', async (text, options, dtype, shape) => {
    const decoded = await tensor(options).decodeBody(body(text));
    expect(decoded).toMatchObject({ dtype, shape });
    expect([decoded.toJSON()].flat(9)).toEqual([JSON.parse(text)].flat(9));
  });

  test.each<[string, Options, string]>([
    ['', {}, 'the body is empty'],
    ['[[2f,1],[4,3]]', {}, "at byte 3 expected ',' or ']', got \"f\""],
    ['[[1,2],[3]]', {}, 'ragged array: [1] is an array of 1, expected an array of 2'],
    ['[[1,2],[3,null]]', {}, '[1][1] is null, expected a number for dtype float32'],
    ['{"data":[1]}', {}, 'the value is an object, expected a number'],
    ['[{"a":1}]', {}, '[0] is an object, expected a number'],
    ['[1.5]', { dtype: 'uint8' }, '[0] is the number 1.5, expected an integer from 0 to 255 for dtype uint8'],
    ['[9007199254740993]', { dtype: 'int64' }, '[0] is the number 9007199254740992, expected an exact integer'],
    ['[1,2,3,4]', { shape: [2, 2], enforceShape: true }, 'expected a tensor of shape [2, 2], got [4]'],
    ['[[1,2,3]]', { shape: [-1, 2], enforceShape: true }, 'expected a tensor of shape [-1, 2], got [1, 3]'],
    ['[1,2,3]', { shape: [-1, 2] }, 'expected a tensor of shape [-1, 2], got [3]'],
    ['[1,2,3,4]', { shape: [-1, -1] }, 'expected a tensor of shape [-1, -1], got [4]'],
    ['[1]', { shape: [] , enforceShape: true }, 'expected a tensor of shape [], got [1]'],
  ])('%s with %j is refused', async (text, options, message) => {
    const error = await caught(() => tensor(options).decodeBody(body(text)));
    expect(error.code).toBe('invalid_argument');
    expect(error.message).toContain(message);
  }); // prettier-ignore
});

describe('reading typed content', () => {
  const doubles: Content = { kind: 'tensor', tensor: Tensor.from([[1, 2]], 'float64') };

  test('another dtype is converted, or refused where it is enforced', async () => {
    expect(await tensor().fromContent(doubles)).toEqual(Tensor.from([[1, 2]]));
    const error = await caught(() => tensor({ enforceDtype: true }).fromContent(doubles));
    expect(error).toMatchObject({
      code: 'invalid_argument',
      message: 'expected a tensor of dtype float32, got float64',
      details: { expected: 'float32', got: 'float64' },
    });
  });

  test('the asked dtype and shape pass as they are, without a copy', async () => {
    const strict = tensor({ dtype: 'float64', enforceDtype: true, shape: [-1, 2], enforceShape: true });
    if (doubles.kind !== 'tensor') throw new Error('not a tensor');
    expect(await strict.fromContent(doubles)).toBe(doubles.tensor);
  });

  test('raw bytes take the declared dtype and shape', async () => {
    const bytes = Buffer.from(Tensor.from([1, 2, 3, 4], 'int16').bytes());
    const rows = tensor({ dtype: 'int16', shape: [-1, 2] });
    expect(await rows.fromContent({ kind: 'bytes', bytes })).toEqual(Tensor.from([[1, 2], [3, 4]], 'int16')); // prettier-ignore
    const flat = tensor({ dtype: 'int16' });
    expect((await flat.fromContent({ kind: 'bytes', bytes })).shape).toEqual([4]);
  });

  test.each<[Content, Options, string]>([
    [{ kind: 'bytes', bytes: new Uint8Array(3) }, { dtype: 'int16' }, '3 bytes are no whole number of int16 elements'],
    [{ kind: 'bytes', bytes: new Uint8Array(3) }, { dtype: 'string' }, 'no whole number of string elements'],
    [{ kind: 'bytes', bytes: new Uint8Array(12) }, { shape: [2, 2] }, 'expected a tensor of shape [2, 2], got [3]'],
    [{ kind: 'json', value: [1] }, {}, 'bentoml.io.NumpyNdarray reads content of kind tensor or bytes, got json'],
  ])('%o with %j is refused', async (content, options, message) => {
    const error = await caught(() => tensor(options).fromContent(content));
    expect(error.code).toBe('invalid_argument');
    expect(error.message).toContain(message);
  }); // prettier-ignore
});

describe('writing', () => {
  test.each<[string, Tensor, string]>([
    ['floats', Tensor.from([[1, 2.5]]), '[[1,2.5]]'],
    ['a single value', Tensor.from(3), '3'],
    ['strings', Tensor.from(['a"b']), '["a\\"b"]'],
    ['booleans', Tensor.from([[true], [false]]), '[[true],[false]]'],
    ['64-bit integers with all their digits', Tensor.from([[2n ** 63n - 1n], [-1n]]), '[[9223372036854775807],[-1]]'],
    ['a single 64-bit integer', Tensor.from(2n ** 60n), '1152921504606846976'],
    ['nothing', Tensor.zeros('int64', [2, 0]), '[[],[]]'],
  ])('%s', async (_, value, text) => {
    const untyped = tensor<DType>();
    const encoded = await untyped.encodeBody(value);
    expect(encoded.contentType).toBe('application/json');
    expect(asText(encoded)).toBe(text);
    expect(await untyped.toContent(value)).toEqual({ kind: 'tensor', tensor: value });
  }); // prettier-ignore

  test('a declared dtype converts', async () => {
    const words = tensor<DType>({ dtype: 'string' });
    expect(asText(await words.encodeBody(Tensor.from([[4, 2], [8, 6]], 'uint8')))).toBe('[["4","2"],["8","6"]]'); // prettier-ignore
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY])('%d is refused with its place', async (value) => {
    const error = await caught(() => tensor().encodeBody(Tensor.from([[[1, 2]], [[3, value]]])));
    expect(error.code).toBe('internal');
    expect(error.message).toBe(`the API's output has ${value} at [1][0][1], which JSON cannot say`);
  });

  test('what is no tensor is refused', async () => {
    const loose = tensor();
    const error = await caught(() => Reflect.apply(loose.encodeBody, loose, [[1, 2]]));
    expect(error.message).toBe("the API's output is tensor(), and its function returned an array of 2");
  });
});

describe('properties', () => {
  const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 });
  const elements: Readonly<Partial<Record<DType, fc.Arbitrary<number | bigint | boolean | string>>>> = {
    float32: fc.float({ noNaN: true, noDefaultInfinity: true }),
    float64: fc.double({ noNaN: true, noDefaultInfinity: true }),
    int8: fc.integer({ min: -128, max: 127 }),
    uint32: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    int64: fc.maxSafeInteger(),
    bool: fc.boolean(),
    string: fc.string({ unit: 'binary' }),
  };

  test.each(Object.entries(elements))(
    'a %s tensor is itself after the way through a body',
    async (name, element) => {
      const dtype = Object.keys(elements).find((key): key is DType => key === name) ?? 'float32';
      const some = shapes.chain((shape) => {
        const size = shape.reduce((product, length) => product * length, 1);
        const flat = fc.array(element, { minLength: size, maxLength: size });
        return flat.map((list) => Tensor.from(list, dtype).reshape(shape));
      });
      const io = tensor({ dtype });
      await fc.assert(
        fc.asyncProperty(some, async (value) => {
          const decoded = await io.decodeBody(body(asText(await io.encodeBody(value))));
          // -0 is written as 0.
          expect(decoded.toNested()).toEqual(JSON.parse(JSON.stringify(value)));
          expect(decoded.shape).toEqual(value.shape);
        }),
        { numRuns: 50 },
      );
    },
  );

  test('whatever a client sends is a tensor or an invalid_argument', async () => {
    const sent = fc.oneof(
      fc.json(),
      fc.string(),
      fc.json().map((text) => `[[1,2],${text}]`),
    );
    await fc.assert(
      fc.asyncProperty(sent, fc.constantFrom<DType>('float32', 'int64', 'string'), async (text, dtype) => {
        const decoded = await Promise.resolve(body(text))
          .then((request) => tensor({ dtype }).decodeBody(request))
          .catch((error: unknown) => error);
        if (!(decoded instanceof Tensor)) expect(decoded).toMatchObject({ code: 'invalid_argument' });
      }),
    );
  });
});

describe('documentation', () => {
  test.each<[Options, object]>([
    [{}, { type: 'array', items: {} }],
    [{ shape: [-1, 2], dtype: 'int32' }, { type: 'array', items: { type: 'array', items: { type: 'integer' }, minItems: 2, maxItems: 2 } }],
    [{ shape: [-1], dtype: 'string' }, { type: 'array', items: { type: 'string' } }],
    [{ shape: [-1], dtype: 'bool' }, { type: 'array', items: { type: 'boolean' } }],
    [{ shape: [-1], dtype: 'float64' }, { type: 'array', items: { type: 'number', format: 'double' } }],
  ])('of %j', (options, schema) => {
    expect(tensor(options).openapi()).toEqual({ mediaTypes: ['application/json'], schema });
  }); // prettier-ignore

  test('clients are told dtype, shape and what is enforced', () => {
    expect(tensor({ dtype: 'int8', shape: [-1, 4], enforceShape: true }).toSpec()).toEqual({
      id: 'bentoml.io.NumpyNdarray',
      args: { dtype: 'int8', shape: [-1, 4], enforce_dtype: false, enforce_shape: true },
    });
    expect(tensor().toSpec().args).toMatchObject({ dtype: 'float32', shape: null });
  });
});
