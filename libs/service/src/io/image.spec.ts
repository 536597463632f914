import { Buffer } from 'node:buffer';
import { expect, test } from 'vitest';
import { body } from '../../test/bytes.js';
import { caught } from '../../test/caught.js';
import { Image } from '../image.js';
import { Tensor } from '../tensor.js';
import { image } from './image.js';

const pixels = Tensor.from([[0, 255, 7], [128, 3, 9]], 'uint8'); // prettier-ignore
const png = await Image.fromPixels(pixels);
const webp = await Image.fromPixels(pixels, 'webp');

test('a picture is read from any body, whatever the header says', async () => {
  for (const type of [undefined, 'image/png', 'application/json']) {
    const decoded = await image().decodeBody(body(png.bytes, type));
    expect(decoded).toMatchObject({ mimeType: 'image/png', width: 3, height: 2 });
  }
  expect((await image().fromContent({ kind: 'file', bytes: webp.bytes })).mimeType).toBe('image/webp');
  expect((await image().fromContent({ kind: 'bytes', bytes: png.bytes })).mimeType).toBe('image/png');
});

test.each([
  ['no picture', image(), body('{"not":"a picture"}'), '19 bytes are no image; send one of image/png, image/jpeg'],
  ['nothing', image(), body(''), 'the body is empty, expected an image'],
  ['a picture of another type', image({ allowedMimeTypes: ['image/png', 'image/gif'] }), body(webp.bytes), 'the image is image/webp, allowed are image/png, image/gif'],
  ['too many pixels', image({ maxPixels: 5 }), body(png.bytes), '3 x 2 = 6 pixels, at most 5 are allowed'],
  ['a drawing', image(), body('<svg xmlns="http://www.w3.org/2000/svg" width="2" height="2"/>'), 'bytes are no image; send one of'],
])('%s is refused', async (_, io, request, message) => {
  const error = await caught(() => io.decodeBody(request));
  expect(error.code).toBe('invalid_argument');
  expect(error.message).toContain(message);
}); // prettier-ignore

test('a form that is none and other kinds of content are refused', async () => {
  const error = await caught(() => image().decodeBody(body(png.bytes, 'multipart/form-data; boundary=x')));
  expect(error.message).toContain('the multipart body cannot be read');
  expect((await caught(() => image().fromContent({ kind: 'json', value: 1 }))).message).toContain(
    'file or bytes, got json',
  );
});

test('an answer is a picture of the declared type, the same bytes where it has that already', async () => {
  const same = await image().encodeBody(png);
  expect(same).toEqual({
    contentType: 'image/png',
    bytes: png.bytes,
    headers: { 'content-disposition': 'attachment; filename="output.png"' },
  });
  const other = await image({ mimeType: 'image/webp' }).toContent(png);
  if (other.kind !== 'file') throw new Error(`content of kind ${other.kind}`);
  expect(other.mimeType).toBe('image/webp');
  expect((await Image.decode(other.bytes)).mimeType).toBe('image/webp');
});

test('what is no picture is refused as an answer', async () => {
  const io = image();
  const error = await caught(() => Reflect.apply(io.encodeBody, io, [Buffer.from('x')]));
  expect(error).toMatchObject({ code: 'internal' });
  expect(error.message).toBe(
    "the API's output is image(), and its function returned an object of class Buffer",
  );
});

test('its documentation is binary', () => {
  expect(image().openapi()).toEqual({
    mediaTypes: ['image/png', 'image/*'],
    schema: { type: 'string', format: 'binary' },
  });
  expect(image({ allowedMimeTypes: ['image/png'] }).openapi().mediaTypes).toEqual(['image/png']);
  expect(image().toSpec()).toEqual({
    id: 'bentoml.io.Image',
    args: { mime_type: 'image/png', allowed_mime_types: null, pilmode: null },
  });
});
