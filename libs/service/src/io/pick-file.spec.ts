import { expect, test } from 'vitest';
import { caught } from '../../test/caught.js';
import { Image } from '../image.js';
import { Tensor } from '../tensor.js';
import type { Body } from './descriptor.js';
import { file } from './file.js';
import { image } from './image.js';

const pdf = new File(['%PDF'], 'a.pdf', { type: 'application/pdf' });
const csv = new File(['1,2'], 'b.csv', { type: 'text/csv' });
const untyped = new File(['...'], 'c');

async function formBody(...fields: readonly (readonly [string, string | Blob])[]): Promise<Body> {
  const form = new FormData();
  for (const [name, value] of fields) form.append(name, value);
  const sent = new Response(form);
  const contentType = sent.headers.get('content-type') ?? undefined;
  return { contentType, bytes: new Uint8Array(await sent.arrayBuffer()) };
}

test('the only file of a form is taken, whatever its field is called', async () => {
  const value = await file().decodeBody(await formBody(['note', 'hello'], ['upload', pdf]));
  expect(value).toMatchObject({ name: 'a.pdf', mimeType: 'application/pdf' });
  expect(value.text()).toBe('%PDF');
});

test('files of other types do not count, those of no type do', async () => {
  const only = file({ mimeType: 'application/pdf' });
  expect((await only.decodeBody(await formBody(['x', csv], ['y', pdf]))).name).toBe('a.pdf');
  expect((await only.decodeBody(await formBody(['x', csv], ['y', untyped]))).name).toBe('c');
});

test('the only image of a form is taken', async () => {
  const { bytes } = await Image.fromPixels(new Tensor('uint8', new Uint8Array(12), [2, 2, 3]));
  const png = new File([bytes], 'p.png', { type: 'image/png' });
  expect(await image().decodeBody(await formBody(['a', csv], ['b', png]))).toMatchObject({
    width: 2,
    height: 2,
  });
  const error = await caught(async () => image().decodeBody(await formBody(['b', png], ['c', png])));
  expect(error.message).toBe("expected exactly one image in the form, found 2: 'b', 'c'");
});

test.each([
  [
    'no file',
    [['note', 'hello']],
    'expected exactly one file of type application/pdf in the form, found none',
  ],
  ['only others', [['x', csv]], 'found none'],
  [
    'two',
    [
      ['x', pdf],
      ['y', pdf],
    ],
    "found 2: 'x', 'y'",
  ],
] as const)('a form with %s is refused', async (_, fields, message) => {
  const only = file({ mimeType: 'application/pdf' });
  const error = await caught(async () => only.decodeBody(await formBody(...fields)));
  expect(error.code).toBe('invalid_argument');
  expect(error.message).toContain(message);
});

test('a form of a hundred fields is read, of more it is not', async () => {
  const notes = (count: number) => Array.from({ length: count }, (_, index) => [`n${index}`, 'x'] as const);
  expect((await file().decodeBody(await formBody(...notes(99), ['x', pdf]))).name).toBe('a.pdf');
  const error = await caught(async () => file().decodeBody(await formBody(...notes(100), ['x', pdf])));
  expect(error.message).toBe('the multipart body has more than 100 parts');
});

test('other multipart bodies are refused', async () => {
  const mixed = { contentType: 'multipart/mixed; boundary=b', bytes: Buffer.from('--b--') };
  for (const io of [file(), image()]) {
    const error = await caught(() => io.decodeBody(mixed));
    expect(error.code).toBe('unsupported_media_type');
    expect(error.message).toContain('only multipart/form-data is read, got multipart/mixed');
  }
});
