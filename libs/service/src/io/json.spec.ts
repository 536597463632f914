import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { asText, body } from '../../test/bytes.js';
import { caught } from '../../test/caught.js';
import { Tensor } from '../tensor.js';
import type { Content, IODescriptor } from './descriptor.js';
import { json } from './json.js';

const any: IODescriptor<unknown> = json<unknown>();

describe('reading', () => {
  test.each(['1', '2.2', '"str"', 'null', '[1,[2]]', '{"a":{"b":[true]}}', ' {"ü": "ß€😀"} '])(
    '%s is read as what it is, whatever the content-type says',
    async (text) => {
      expect(await any.decodeBody(body(text, 'text/plain'))).toEqual(JSON.parse(text));
    },
  );

  test.each([
    ['', 'the body is empty, expected JSON'],
    ['{"a":1,}', 'the body is no valid JSON: at byte 7 expected a key in \'"\', got "}"'],
    ['["ü", x]', 'the body is no valid JSON: at byte 7 expected a value, got "x"'],
    ['[1, 😀]', 'at byte 4 expected a value, got "😀"'],
    ['[1', "at byte 2 expected ',' or ']', got the end"],
  ])('%j is refused: %s', async (text, message) => {
    const error = await caught(() => any.decodeBody(body(text)));
    expect(error.code).toBe('invalid_argument');
    expect(error.message).toContain(message);
  });

  test('bytes that are no UTF-8 are refused', async () => {
    const error = await caught(() => any.decodeBody(body(Buffer.from([0x22, 0xff, 0x22]))));
    expect(error).toMatchObject({ code: 'invalid_argument', message: 'the body is no valid UTF-8 text' });
  });

  test('typed content is JSON or its bytes, and nothing else', async () => {
    expect(await any.fromContent({ kind: 'json', value: [1] })).toEqual([1]);
    expect(await any.fromContent({ kind: 'bytes', bytes: Buffer.from('[2]') })).toEqual([2]);
    const wrong: Content = { kind: 'text', text: '[3]' };
    expect(await caught(() => any.fromContent(wrong))).toMatchObject({
      code: 'invalid_argument',
      message: 'bentoml.io.JSON reads content of kind json or bytes, got text',
      details: { accepted: ['json', 'bytes'], got: 'text' },
    });
  });
});

describe('a schema', () => {
  const person = z.object({ name: z.string(), tags: z.array(z.object({ 'a b': z.int() })).default([]) });
  const strict = json({ schema: person });

  test('gives its output, defaults filled', async () => {
    expect(await strict.decodeBody(body('{"name":"Ada"}'))).toEqual({ name: 'Ada', tags: [] });
    expect(await strict.fromContent({ kind: 'json', value: { name: 'Ada' } })).toEqual({
      name: 'Ada',
      tags: [],
    });
  });

  test('that is broken names every violation with its path', async () => {
    const error = await caught(() => strict.decodeBody(body('{"name":7,"tags":[{"a b":1},{"a b":"x"}]}')));
    expect(error.code).toBe('invalid_argument');
    expect(error.message).toContain(
      'the input does not match its schema: name: Invalid input: expected string',
    );
    expect(error.details).toEqual({
      issues: [
        { path: 'name', message: expect.stringContaining('expected string, received number') },
        { path: 'tags[1]["a b"]', message: expect.stringContaining('expected number, received string') },
      ],
    });
  });

  test('may be asynchronous', async () => {
    const schema = z.string().refine((value) => Promise.resolve(value === 'yes'), 'must be yes');
    const slow = json({ schema });
    expect(await slow.decodeBody(body('"yes"'))).toBe('yes');
    expect((await caught(() => slow.decodeBody(body('"no"')))).message).toContain('the root: must be yes');
  });

  test('of any library will do, also one that gives paths as objects and knows no JSON Schema', async () => {
    const odd = json<string>({
      schema: {
        '~standard': {
          version: 1,
          vendor: 'hand-made',
          validate: () => ({ issues: [{ message: 'never', path: [{ key: 'a' }, 0] }] }),
        },
      },
    });
    expect((await caught(() => odd.decodeBody(body('1')))).message).toContain('a[0]: never');
    expect(odd.openapi().schema).toEqual({});
  });

  test('is shown in the documentation as OpenAPI 3.0 has it', () => {
    const nullable = json({ schema: z.object({ age: z.number().nullable() }), example: { age: 3 } });
    expect(nullable.openapi()).toMatchObject({
      mediaTypes: ['application/json'],
      schema: { type: 'object', properties: { age: { nullable: true } }, required: ['age'] },
      example: { age: 3 },
    });
  });

  test('that JSON Schema cannot say leaves the documentation without one', () => {
    expect(json({ schema: z.object({ at: z.date() }) }).openapi().schema).toEqual({});
  });
});

describe('writing', () => {
  test.each<[unknown, string]>([
    [{ a: [1, null], b: 'ü' }, '{"a":[1,null],"b":"ü"}'],
    ['str', '"str"'],
    [undefined, ''],
    [{ rows: Tensor.from([[1, 2]]) }, '{"rows":[[1,2]]}'],
    [{ at: new Date(0), gone: undefined }, '{"at":"1970-01-01T00:00:00.000Z"}'],
    [['null', null], '["null",null]'],
  ])('%j is compact JSON', async (value, text) => {
    const encoded = await any.encodeBody(value);
    expect(encoded.contentType).toBe('application/json');
    expect(asText(encoded)).toBe(text);
  });

  const cycle: Record<string, unknown> = {};
  cycle['inner'] = [cycle];
  test.each<[string, unknown, string]>([
    ['NaN', { scores: [1, Number.NaN] }, 'has the number NaN at scores[1], which JSON cannot say'],
    ['Infinity', Number.POSITIVE_INFINITY, 'has the number Infinity at the root'],
    ['-Infinity behind a null', { a: null, 'b c': -Infinity }, 'has the number -Infinity at ["b c"]'],
    ['NaN in a tensor', { p: Tensor.from([[0, Number.NaN]]) }, 'has the number NaN at p[0][1]'],
    ['a bigint', { id: [1n] }, 'has the number 1 at id[0]'],
    ['a cycle', cycle, 'has a cycle at inner[0]'],
    ['a function', () => 1, 'is a function'],
    ['an exact integer lost', Tensor.from([2n ** 60n]), 'the 64-bit integer 1152921504606846976'],
  ])('%s is refused with its place', async (_, value, message) => {
    for (const write of [any.encodeBody, any.toContent]) {
      const error = await caught(() => write(value));
      expect(error.code).toBe('internal');
      expect(error.message).toContain(message);
    }
  });

  test('the same object twice is no cycle', async () => {
    const twice = { x: null };
    expect(asText(await any.encodeBody([twice, twice]))).toBe('[{"x":null},{"x":null}]');
  });

  test('typed content holds plain values only', async () => {
    expect(await any.toContent({ t: Tensor.from([1]), gone: undefined })).toEqual({
      kind: 'json',
      value: { t: [1] },
    });
    expect(await any.toContent(undefined)).toEqual({ kind: 'json', value: null });
  });
});

test('any JSON value is itself after the way through a body', async () => {
  await fc.assert(
    fc.asyncProperty(fc.jsonValue(), async (value) => {
      expect(await any.decodeBody(body(asText(await any.encodeBody(value))))).toEqual(
        JSON.parse(JSON.stringify(value)),
      );
    }),
  );
});

test('clients are told its id and arguments', () => {
  expect(any.toSpec()).toEqual({
    id: 'bentoml.io.JSON',
    args: { has_pydantic_model: false, has_json_encoder: false },
  });
  expect(any.openapi()).toEqual({ mediaTypes: ['application/json'], schema: {} });
});
