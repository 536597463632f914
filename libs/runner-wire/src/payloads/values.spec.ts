import { FileValue, Image, type RunnerValue, Tensor } from '@bentots/service';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { runnerValue } from '../../test/arbitrary-values.js';
import { decodeValues } from './decode-values.js';
import { encodeValues } from './encode-values.js';
import { DTYPE_CODES, DTYPES_BY_CODE } from './value-kind.js';

function roundTrip(...values: RunnerValue[]): RunnerValue[] {
  return decodeValues(Buffer.concat(encodeValues(values)));
}

describe('what is decoded is what was encoded', () => {
  test('for values of every kind', () => {
    const check = fc.property(fc.array(runnerValue, { maxLength: 4 }), (values) => {
      expect(roundTrip(...values)).toEqual(values);
    });
    fc.assert(check, { seed: 11, numRuns: 500 });
  });

  test('for numbers that JSON cannot say', () => {
    expect(roundTrip(NaN, -0, Infinity, [1, NaN], [[-0]])).toEqual([NaN, -0, Infinity, [1, NaN], [[-0]]]);
  });

  test('for keys that mean something to JavaScript, and no prototype changes', () => {
    const value = JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}');
    const [decoded] = roundTrip(value);
    expect(JSON.stringify(decoded)).toBe(JSON.stringify(value));
    expect(Object.hasOwn({}, 'polluted') || 'polluted' in {}).toBe(false);
  });

  test('for records: named tensors and bytes beside JSON, at any depth', () => {
    const ids = Tensor.from([[1, 2]], 'int64');
    const record = { ids, mask: Tensor.from([[true, false]]), temperature: 0.7, stop: ['a', null] };
    const [decoded] = roundTrip(record);
    expect(decoded).toEqual(record);
    expect(Object.keys(Object(decoded))).toEqual(['ids', 'mask', 'temperature', 'stop']);
    const deep = { a: { b: [{ ids }, 1], raw: new Uint8Array(3) }, file: new FileValue(new Uint8Array(2)) };
    expect(roundTrip(deep)).toEqual([deep]);
  });

  test('for members that are not there: undefined counts as absent, as in JSON', () => {
    const ids = Tensor.from([1]);
    expect(Object.keys(Object(roundTrip({ ids, mask: undefined })[0]))).toEqual(['ids']);
  });

  test('for records whose members mean something to JavaScript, and no prototype changes', () => {
    const tensor = Tensor.from([1]);
    const entries = [['__proto__', tensor], ['constructor', { prototype: tensor }], ['hasOwnProperty', 1]] as const; // prettier-ignore
    const [decoded] = roundTrip(Object.fromEntries<RunnerValue>(entries));
    expect(Object.entries(Object(decoded))).toEqual(entries);
    expect(Object.getPrototypeOf(decoded)).toBe(Object.prototype);
    expect({}.constructor).toBe(Object);
  });

  test('for own members only', () => {
    const record: Record<string, RunnerValue> = { own: Tensor.from([1]) };
    Object.defineProperty(record, 'hidden', { value: 1, enumerable: false });
    expect(Object.keys(Object(roundTrip(record)[0]))).toEqual(['own']);
  });

  test('for large bytes and texts, which are not copied together', () => {
    const bytes = new Uint8Array(100_003).fill(7);
    const text = 'ä'.repeat(50_000);
    const parts = encodeValues([1, bytes, text, 2]);
    expect(parts.some((part) => part === bytes)).toBe(true);
    expect(decodeValues(Buffer.concat(parts))).toEqual([1, bytes, text, 2]);
  });

  test('for a tensor inside a list inside a list', () => {
    const value = [1, [Tensor.from([1, 2]), undefined], { a: [null] }];
    expect(roundTrip(value)).toEqual([value]);
  });
});

test('tensors and bytes are views of the payload when they are aligned, copies when not', () => {
  const encoded = Buffer.concat(encodeValues([Tensor.from([1, 2, 3]), new Uint8Array([1, 2])]));
  const aligned = new Uint8Array(encoded.length + 16);
  aligned.set(encoded, 8);
  aligned.set(encoded.subarray(0, 8), 8);
  const [tensor, bytes] = decodeValues(aligned.subarray(8, 8 + encoded.length));
  expect(tensor instanceof Tensor && tensor.bytes().buffer).toBe(aligned.buffer);
  expect(bytes instanceof Uint8Array && bytes.buffer).toBe(aligned.buffer);

  const odd = new Uint8Array(encoded.length + 1);
  odd.set(encoded, 1);
  expect(decodeValues(odd.subarray(1))).toEqual([Tensor.from([1, 2, 3]), new Uint8Array([1, 2])]);
});

test('dtype numbers and their inverse agree', () => {
  for (const [dtype, code] of Object.entries(DTYPE_CODES)) expect(DTYPES_BY_CODE[code]).toBe(dtype);
  expect(DTYPES_BY_CODE.length).toBe(Object.keys(DTYPE_CODES).length + 1);
});

describe('what cannot cross is refused by name', () => {
  const deepList = (depth: number): RunnerValue => (depth === 0 ? undefined : [deepList(depth - 1)]);
  const deepRecord = (depth: number): RunnerValue => (depth === 0 ? bytes : { a: deepRecord(depth - 1) });
  const bytes = new Uint8Array(1);
  const deepJson = (depth: number): RunnerValue => (depth === 0 ? 1 : [deepJson(depth - 1)]);
  test.each<[string, unknown, string]>([
    ['a function', () => 1, 'a function'],
    ['a bigint', 1n, 'a bigint'],
    ['a symbol in an array', [Symbol('x')], 'a symbol'],
    ['a map', new Map(), 'class Map'],
    ['a date in an object', { at: new Date() }, 'class Date'],
    ['a function beside a tensor', { t: Tensor.from([1]), f: () => 1 }, 'a function'],
    ['an object of a class', new (class Feeds {})(), 'class Feeds'],
    ['records that are too deep', deepRecord(40), 'an object nested deeper than 32'],
    ['a name that is too long', { ['n'.repeat(1025)]: bytes }, 'a member name of 1025 bytes'],
    ['a name that is no text', { '\ud800': bytes }, 'the malformed member name "\\ud800"'],
    [
      'too many members',
      Object.fromEntries(Array.from({ length: 65_536 }, (_, i) => [`m${i}`, bytes])),
      '65536 members',
    ],
    ['a bare typed array', new Float32Array(2), 'wrap it in a Tensor'],
    ['a list that is too deep', deepList(40), 'deeper than 32'],
    ['an array that is too deep', deepJson(300), 'deeper than 256'],
    ['a rank that is too high', Tensor.zeros('int8', new Array<number>(33).fill(1)), 'rank 33'],
    [
      'a media type that is too long',
      new FileValue(new Uint8Array(), { mimeType: 'x'.repeat(2000) }),
      '2000 bytes',
    ],
  ])('%s', (_what, value, words) => {
    expect(() => encodeValues([value as RunnerValue])).toThrow(
      expect.objectContaining({ code: 'invalid_argument', message: expect.stringContaining(words) }),
    );
  });
});

describe('what is malformed is a protocol error', () => {
  const head = (kind: number, a: number, b: number, n: number): Buffer => {
    const bytes = Buffer.alloc(8);
    bytes.writeUInt8(kind, 0);
    bytes.writeUInt8(a, 1);
    bytes.writeUInt16LE(b, 2);
    bytes.writeUInt32LE(n, 4);
    return bytes;
  };
  /** The head of a record of `count` members, and the name of its first. */
  const member = (name: string, count: number): Buffer =>
    Buffer.concat([head(11, 0, 0, count), head(4, 0, 0, name.length), Buffer.from(name.padEnd(8, '\0'))]);
  const nothing = head(0, 0, 0, 0);
  const dims = (...values: number[]): Buffer => Buffer.from(new Uint32Array(values).buffer);
  const nested = Buffer.concat(new Array<Buffer>(40).fill(head(10, 0, 0, 1)).concat(head(0, 0, 0, 0)));
  test.each<[string, Buffer, string]>([
    ['a head that is cut', Buffer.alloc(5), '5 bytes that are left'],
    ['an unknown kind', head(99, 0, 0, 0), 'unknown kind 99'],
    ['a text that is cut', Buffer.concat([head(4, 0, 0, 9), Buffer.alloc(8)]), 'a text of 9 bytes'],
    ['bytes of 4 GiB', head(6, 0, 0, 0xffff_ffff), 'bytes of 4294967295 bytes'],
    ['a list of 4 G items', head(10, 0, 0, 0xffff_ffff), 'a list of 4294967295 values'],
    ['lists too deep', nested, 'deeper than 32'],
    [
      'records too deep',
      Buffer.concat([...new Array<Buffer>(40).fill(member('a', 1)), nothing]),
      'deeper than 32',
    ],
    ['a record of 4 G members', head(11, 0, 0, 0xffff_ffff), 'a record of 4294967295 values'],
    [
      'a record of too many members',
      Buffer.concat([head(11, 0, 0, 65_536), Buffer.alloc(65_536 * 16)]),
      '65536 members',
    ],
    [
      'two members of one name',
      Buffer.concat([member('a', 2), nothing, member('a', 0).subarray(8), nothing]),
      'two members named "a"',
    ],
    [
      'a name that is a number',
      Buffer.concat([head(11, 0, 0, 1), head(3, 0, 0, 8), Buffer.alloc(8)]),
      'of kind 3, text is expected',
    ],
    [
      'a name that is too long',
      Buffer.concat([head(11, 0, 0, 1), head(4, 0, 0, 1025), Buffer.alloc(2048)]),
      'has 1025 bytes',
    ],
    ['a member without a value', Buffer.concat([member('a', 1)]), 'the head of a value'],
    ['a record that is cut', Buffer.concat([member('a', 2), nothing]), 'does not fit'],
    ['JSON that is none', Buffer.concat([head(5, 0, 0, 1), Buffer.from('{       ')]), 'not valid JSON'],
    ['an unknown dtype', head(7, 13, 0, 0), 'unknown dtype 13'],
    ['a rank that is too high', head(7, 1, 200, 0), 'rank 200'],
    ['a shape that is cut', head(7, 1, 3, 0), 'the shape of a tensor'],
    [
      'data that does not fit the shape',
      Buffer.concat([head(7, 1, 2, 8), dims(2, 2), Buffer.alloc(8)]),
      '16 bytes',
    ],
    [
      'a shape of more elements than can be',
      Buffer.concat([head(7, 1, 2, 0), dims(~0 >>> 0, ~0 >>> 0)]),
      'malformed',
    ],
    ['more strings than bytes', Buffer.concat([head(7, 12, 2, 0), dims(~0 >>> 0, 1)]), 'do not fit'],
    [
      'a string behind its data',
      Buffer.concat([head(7, 12, 2, 8), dims(1, 1), dims(9, 0)]),
      'string 0 of a tensor ends behind',
    ],
    ['strings that leave bytes', Buffer.concat([head(7, 12, 2, 8), dims(1, 1), dims(1, 0)]), 'leave 3 bytes'],
    ['a file whose name is cut', Buffer.concat([head(8, 0, 0, 0), head(9, 0, 0, 0)]), 'a name of 9 bytes'],
  ])('%s', (_what, bytes, words) => {
    expect(() => decodeValues(bytes)).toThrow(
      expect.objectContaining({ code: 'protocol_error', message: expect.stringContaining(words) }),
    );
  });
});

test('files and images keep what is known about them', () => {
  const file = new FileValue(new Uint8Array([1]), { mimeType: 'text/plain', name: 'a ä.txt' });
  const nameless = new FileValue(new Uint8Array());
  const image = new Image(new Uint8Array([9, 9]), { mimeType: 'image/webp', width: 3, height: 4 });
  const decoded = roundTrip(file, nameless, image);
  expect(decoded[0]).toMatchObject({ mimeType: 'text/plain', name: 'a ä.txt' });
  expect(decoded[1]).toMatchObject({ mimeType: 'application/octet-stream', name: undefined });
  expect(decoded[2]).toMatchObject({ mimeType: 'image/webp', width: 3, height: 4 });
  expect(decoded).toEqual([file, nameless, image]);
});
