import { Buffer } from 'node:buffer';
import { expect, test } from 'vitest';
import { caught } from '../test/caught.js';
import { Image } from './image.js';
import { Tensor } from './tensor.js';

const gray = Tensor.from([[0, 255, 7], [128, 3, 9]], 'uint8'); // prettier-ignore
const red = [255, 0, 0, 255];
const clear = [0, 0, 255, 0];
const rgba = Tensor.from([[red, clear]], 'uint8');

test('gray pixels survive PNG, in every mode', async () => {
  const image = await Image.fromPixels(gray);
  expect(image).toMatchObject({ mimeType: 'image/png', width: 3, height: 2 });
  expect(await image.pixels('gray')).toEqual(gray);
  const rgb = await image.pixels();
  expect(rgb.shape).toEqual([2, 3, 3]);
  expect(rgb.slice(0, 1).toNested()).toEqual([[[0, 0, 0], [255, 255, 255], [7, 7, 7]]]); // prettier-ignore
});

test('transparency is kept for rgba and dropped for the others', async () => {
  const image = await Image.fromPixels(rgba);
  expect((await image.pixels('rgba')).toNested()).toEqual([[red, clear]]);
  expect((await image.pixels('rgb')).toNested()).toEqual([[[255, 0, 0], [0, 0, 255]]]); // prettier-ignore
  expect((await image.pixels('gray')).shape).toEqual([1, 2]);
});

test.each(['png', 'jpeg', 'webp'] as const)('a %s is known by its bytes', async (format) => {
  const image = await Image.fromPixels(gray, format);
  expect(await Image.decode(image.bytes)).toEqual(image);
});

test('converted, a picture keeps its size; to its own format it is itself', async () => {
  const image = await Image.fromPixels(gray);
  const jpeg = await image.convert('jpeg');
  expect(await Image.decode(jpeg.bytes)).toMatchObject({ mimeType: 'image/jpeg', width: 3, height: 2 });
  expect(await image.convert('png')).toBe(image);
});

test('a picture damaged behind its header is found out when its pixels are asked for', async () => {
  const noise = new Uint8Array(64 * 64).map((_, i) => (i * 7919) % 251);
  const whole = await Image.fromPixels(new Tensor('uint8', noise, [64, 64]));
  const image = await Image.decode(Buffer.from(whole.bytes).subarray(0, 600));
  const error = await caught(() => image.pixels('gray'));
  expect(error.code).toBe('invalid_argument');
  expect(error.message).toContain('the image is damaged: ');
});

test.each([[[6]], [[1, 2, 3, 1]], [[1, 1, 5]], [[0, 2]]])('pixels of shape %j are refused', async (shape) => {
  const error = await caught(() => Image.fromPixels(Tensor.zeros('uint8', shape)));
  expect(error.message).toContain(`pixels have shape [${shape.join(', ')}], expected [height, width]`);
});

test('a picture of another copy of the library is a picture', () => {
  expect({ [Symbol.for('bentots.Image')]: true }).toBeInstanceOf(Image);
  expect({ bytes: new Uint8Array() }).not.toBeInstanceOf(Image);
});
