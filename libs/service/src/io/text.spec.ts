import { Buffer } from 'node:buffer';
import { expect, test } from 'vitest';
import { body } from '../../test/bytes.js';
import { caught } from '../../test/caught.js';
import { text } from './text.js';

const io = text();

test.each(['', 'plain', 'zwölf\n€ 😀'])('%j is read and written as it is', async (value) => {
  expect(await io.decodeBody(body(value))).toBe(value);
  expect(await io.encodeBody(value)).toEqual({ contentType: 'text/plain; charset=utf-8', bytes: value });
  expect(await io.fromContent({ kind: 'text', text: value })).toBe(value);
  expect(await io.fromContent({ kind: 'bytes', bytes: Buffer.from(value) })).toBe(value);
  expect(await io.toContent(value)).toEqual({ kind: 'text', text: value });
});

test('a view into a larger buffer reads its own bytes only', async () => {
  const bytes = new Uint8Array(Buffer.from('..inner..')).subarray(2, 7);
  expect(await io.decodeBody({ contentType: undefined, bytes })).toBe('inner');
});

test('what is no UTF-8, no text or another kind of content is refused', async () => {
  expect(await caught(() => io.decodeBody(body(Buffer.from([0xc3]))))).toMatchObject({
    code: 'invalid_argument',
    message: 'the body is no valid UTF-8 text',
  });
  expect(await caught(() => Reflect.apply(io.encodeBody, io, [7]))).toMatchObject({
    code: 'internal',
    message: "the API's output is text(), and its function returned the number 7",
  });
  expect((await caught(() => io.fromContent({ kind: 'json', value: 'a' }))).message).toContain(
    'text or bytes, got json',
  );
});

test('its documentation is a string', () => {
  expect(io.openapi()).toEqual({ mediaTypes: ['text/plain'], schema: { type: 'string' } });
  expect(io.toSpec()).toEqual({ id: 'bentoml.io.Text', args: null });
});
