import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire';
import type { JsonValue } from '@bentots/service';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_JSON_DEPTH, Struct, Value } from './json-value.js';

function encode(value: unknown): Uint8Array {
  return Value.encode(value, new BinaryWriter()).finish();
}

function decode(bytes: Uint8Array): JsonValue {
  return Value.decode(new BinaryReader(bytes), bytes.length);
}

function nested(levels: number): JsonValue {
  return levels === 0 ? 1 : [nested(levels - 1)];
}

describe('a value that JSON holds', () => {
  test('comes back as it was', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        // JSON text has no negative zero; the wire has one.
        expect(JSON.stringify(decode(encode(value)))).toBe(JSON.stringify(value));
      }),
    );
  });

  test('is written as the protocol buffers documentation says', () => {
    // struct_value (5) { fields (1) { key (1) "a", value (2) { number_value (2) 1 } } }
    expect(Buffer.from(encode({ a: 1 })).toString('hex')).toBe('2a100a0e0a016112' + '0911000000000000f03f');
    expect(Buffer.from(encode(null)).toString('hex')).toBe('0800');
    expect(Buffer.from(encode([true, 'x'])).toString('hex')).toBe('32090a0220010a031a0178');
  });

  test('a key __proto__ is a field like any other', () => {
    const value = JSON.parse('{"__proto__": {"admin": true}}');
    const read = decode(encode(value));
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
    expect(JSON.stringify(read)).toBe('{"__proto__":{"admin":true}}');
  });
});

describe('values beyond JSON are written by the rules of JSON.stringify', () => {
  test('undefined is left out of objects and null in lists', () => {
    const value = { a: undefined, b: [undefined, () => 1], c: Symbol('c') };
    expect(decode(encode(value))).toEqual(JSON.parse(JSON.stringify(value)));
  });

  test('an object that has toJSON says itself', () => {
    expect(decode(encode({ at: new Date(0) }))).toEqual({ at: '1970-01-01T00:00:00.000Z' });
  });

  test('a bigint is refused with its place', () => {
    expect(() => encode({ rows: [{ id: 1n }] })).toThrow('$.rows[0].id is a bigint');
  });

  test('a cycle is refused', () => {
    const cycle: unknown[] = [];
    cycle.push(cycle);
    expect(() => encode(cycle)).toThrow(`more than ${MAX_JSON_DEPTH} levels deep`);
  });
});

describe('bytes from outside', () => {
  test(`${MAX_JSON_DEPTH} levels are read, one more is invalid_argument`, () => {
    expect(decode(encode(nested(MAX_JSON_DEPTH)))).toEqual(nested(MAX_JSON_DEPTH));
    // One level more than the writer writes: list_value { values { … } } around it by hand.
    const inner = encode(nested(MAX_JSON_DEPTH));
    const list = new BinaryWriter().uint32(50).fork().uint32(10).bytes(inner).join().finish();
    expect(() => decode(list)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
  });

  test('a value without a kind is null, unknown fields are skipped', () => {
    expect(decode(new Uint8Array())).toBeNull();
    const unknown = new BinaryWriter().uint32(1234).string('later').raw(encode('kept')).finish();
    expect(decode(unknown)).toBe('kept');
  });

  test('are read or refused, and never hang or crash', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          JSON.stringify(decode(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
      }),
    );
  });

  test('truncated bytes are refused', () => {
    const bytes = encode({ text: 'abcdef' });
    expect(() => decode(bytes.subarray(0, bytes.length - 3))).toThrow();
  });
});

test('a Struct is an object, and nothing else', () => {
  const bytes = Struct.encode({ args: { dtype: null } }, new BinaryWriter()).finish();
  expect(Struct.decode(new BinaryReader(bytes), bytes.length)).toEqual({ args: { dtype: null } });
  expect(Struct.encode(undefined, new BinaryWriter()).finish()).toHaveLength(0);
});
