import { Buffer } from 'node:buffer';
import { expect, test } from 'vitest';
import { asText, body } from '../../test/bytes.js';
import { caught } from '../../test/caught.js';
import { FileValue } from '../values.js';
import { file } from './file.js';

const pdf = Buffer.from('%PDF-1.4');

test('any body is a file of its own media type', async () => {
  const value = await file().decodeBody(body(pdf, 'Application/PDF; version=1'));
  expect(value).toMatchObject({ bytes: pdf, mimeType: 'application/pdf', name: undefined });
  expect((await file().decodeBody(body(pdf))).mimeType).toBe('application/octet-stream');
  expect((await file().decodeBody(body(''))).bytes).toHaveLength(0);
});

test('typed content is a file or its bytes', async () => {
  const only = file({ mimeType: 'application/pdf' });
  expect((await only.fromContent({ kind: 'file', bytes: pdf, mimeType: 'application/pdf' })).mimeType).toBe(
    'application/pdf',
  );
  expect((await only.fromContent({ kind: 'bytes', bytes: pdf })).mimeType).toBe('application/pdf');
  expect((await caught(() => only.fromContent({ kind: 'text', text: '' }))).message).toContain(
    'file or bytes, got text',
  );
});

test('a body without a known type is taken for the expected one', async () => {
  const only = file({ mimeType: 'application/pdf' });
  expect((await only.decodeBody(body(pdf))).mimeType).toBe('application/pdf');
});

test.each([
  ['image/png', 'unsupported_media_type', 'the file is image/png, expected application/pdf'],
  ['multipart/form-data; boundary=x', 'invalid_argument', 'the multipart body cannot be read'],
])('a body of type %s is refused', async (type, code, message) => {
  const error = await caught(() => file({ mimeType: 'application/pdf' }).decodeBody(body(pdf, type)));
  expect(error.code).toBe(code);
  expect(error.message).toContain(message);
});

test('a file over the limit is refused, one of exactly the limit is not', async () => {
  const error = await caught(() => file({ maxBytes: 7 }).decodeBody(body(pdf)));
  expect(error).toMatchObject({
    code: 'payload_too_large',
    message: 'the file has 8 bytes, at most 7 are allowed',
  });
  expect((await file({ maxBytes: 8 }).decodeBody(body(pdf))).bytes).toHaveLength(8);
});

test('an answer carries the type and the name', async () => {
  const named = await file().encodeBody(
    new FileValue(pdf, { mimeType: 'application/pdf', name: 'für "dich".pdf' }),
  );
  expect(named.contentType).toBe('application/pdf');
  expect(asText(named)).toBe('%PDF-1.4');
  expect(named.headers).toEqual({
    'content-disposition': `attachment; filename="f_r _dich_.pdf"; filename*=UTF-8''f%C3%BCr%20%22dich%22.pdf`,
  });
  const plain = await file({ mimeType: 'text/csv' }).encodeBody(new FileValue(pdf));
  expect(plain).toEqual({ contentType: 'text/csv', bytes: pdf });
  expect(await file().toContent(new FileValue(pdf))).toEqual({
    kind: 'file',
    bytes: pdf,
    mimeType: 'application/octet-stream',
  });
});

test('what is no file is refused as an answer', async () => {
  const io = file();
  const error = await caught(() => Reflect.apply(io.encodeBody, io, [pdf]));
  expect(error.message).toBe(
    "the API's output is file(), and its function returned an object of class Buffer",
  );
});

test('its documentation is binary', () => {
  expect(file().openapi()).toEqual({
    mediaTypes: ['application/octet-stream'],
    schema: { type: 'string', format: 'binary' },
  });
  expect(file({ mimeType: 'text/csv' }).toSpec()).toEqual({
    id: 'bentoml.io.File',
    args: { kind: 'binaryio', mime_type: 'text/csv' },
  });
});

test('a file reads as text, and one of another copy of the library is a file', () => {
  expect(new FileValue(Buffer.from('ü')).text()).toBe('ü');
  expect({ [Symbol.for('bentots.FileValue')]: true }).toBeInstanceOf(FileValue);
});
