import { Buffer } from 'node:buffer';
import { describe, expect, test } from 'vitest';
import { caught } from '../test/caught.js';
import { parseBmpHeader } from './bmp.js';
import { Image } from './image.js';

interface Facts {
  readonly width: number;
  readonly height: number;
  readonly bits: number;
  readonly compression?: number;
  readonly palette?: readonly number[];
  /** Bytes between the header and the palette, and between that and the pixels. */
  readonly masks?: readonly number[];
  readonly gap?: readonly number[];
  readonly headerSize?: number;
  /** The rows as they stand in the file, filled up to whole words. */
  readonly pixels: readonly number[];
}

function bmp(facts: Facts): Buffer {
  const {
    width,
    height,
    bits,
    compression = 0,
    headerSize = 40,
    masks = [],
    palette = [],
    gap = [],
    pixels,
  } = facts;
  const header = Buffer.alloc(54);
  header.write('BM');
  const rest = Buffer.alloc(headerSize - 40);
  header.writeUInt32LE(14 + headerSize + masks.length + palette.length + gap.length, 10);
  header.writeUInt32LE(headerSize, 14);
  header.writeInt32LE(width, 18);
  header.writeInt32LE(height, 22);
  header.writeUInt16LE(1, 26);
  header.writeUInt16LE(bits, 28);
  header.writeUInt32LE(compression, 30);
  header.writeUInt32LE(palette.length / 4, 46);
  return Buffer.concat([header, rest, Buffer.from([...masks, ...palette, ...gap, ...pixels])]);
}

const RED = [0, 0, 255];
const BLUE = [255, 0, 0];
const rgbRed = [255, 0, 0];
const rgbBlue = [0, 0, 255];

describe('pixels', () => {
  test.each<[string, Facts, number[][]]>([
    ['24 bits, bottom row first', { width: 1, height: 2, bits: 24, pixels: [...RED, 0, ...BLUE, 0] }, [rgbBlue, rgbRed]],
    ['24 bits, top row first', { width: 1, height: -2, bits: 24, pixels: [...RED, 0, ...BLUE, 0] }, [rgbRed, rgbBlue]],
    ['32 bits', { width: 2, height: 1, bits: 32, pixels: [...RED, 9, ...BLUE, 9] }, [rgbRed, rgbBlue]],
    ['32 bits with masks', { width: 2, height: 1, bits: 32, compression: 3, masks: [255, 0, 0, 0, 0, 255, 0, 0, 0, 0, 255, 0], pixels: [...rgbRed, 9, ...rgbBlue, 9] }, [rgbRed, rgbBlue]],
    ['32 bits with a long header of zeros', { width: 2, height: 1, bits: 32, headerSize: 108, pixels: [...RED, 9, ...BLUE, 9] }, [rgbRed, rgbBlue]],
    ['24 bits far behind their header', { width: 1, height: 1, bits: 24, gap: [1, 2, 3, 4], pixels: [...RED, 0] }, [rgbRed]],
    ['8 bits of a palette', { width: 2, height: 1, bits: 8, palette: [...RED, 0, ...BLUE, 0], pixels: [1, 0, 0, 0] }, [rgbBlue, rgbRed]],
    ['4 bits of a palette', { width: 3, height: 2, bits: 4, palette: [...RED, 0, ...BLUE, 0], pixels: [0x10, 0x10, 0, 0, 0, 0, 0, 0] }, [rgbRed, rgbRed, rgbRed, rgbBlue, rgbRed, rgbBlue]],
    ['1 bit of a palette', { width: 3, height: 1, bits: 1, palette: [...RED, 0, ...BLUE, 0], pixels: [0b0110_0000, 0, 0, 0] }, [rgbRed, rgbBlue, rgbBlue]],
  ])('of %s', async (_, facts, expected) => {
    const image = await Image.decode(bmp(facts));
    const pixels = await image.pixels('rgb');
    expect(pixels.shape).toEqual([Math.abs(facts.height), facts.width, 3]);
    expect([...pixels.data]).toEqual(expected.flat());
  }); // prettier-ignore

  test('come out of an image like those of any other format', async () => {
    const file = bmp({ width: 2, height: 1, bits: 24, pixels: [...RED, ...BLUE, 0, 0] });
    const image = await Image.decode(new Uint8Array(Buffer.concat([Buffer.alloc(3), file])).subarray(3));
    expect(image).toMatchObject({ mimeType: 'image/bmp', width: 2, height: 1 });
    const opaque = [[...rgbRed, 255], [...rgbBlue, 255]]; // prettier-ignore
    expect((await image.pixels('rgba')).toNested()).toEqual([opaque]);
    expect((await image.pixels('gray')).shape).toEqual([1, 2]);
    expect((await (await image.convert('png')).pixels('rgb')).toNested()).toEqual([[rgbRed, rgbBlue]]);
  });
});

describe('a file is refused', () => {
  const whole = bmp({ width: 2, height: 2, bits: 24, pixels: new Array<number>(16).fill(1) });
  test.each<[string, Uint8Array, string]>([
    ['whose header is cut off', whole.subarray(0, 40), 'it has 40 bytes, its header alone takes 54'],
    ['whose pixels are cut off', whole.subarray(0, 60), 'it has 60 bytes, its pixels end at 70'],
    ['that promises more pixels than it has', bmp({ width: 60_000, height: 60_000, bits: 32, pixels: [0] }), 'its pixels end at 14400000054'],
    ['without pixels', bmp({ width: 0, height: 2, bits: 24, pixels: [] }), 'it is 0 x 2 pixels'],
    ['that is compressed', bmp({ width: 2, height: 2, bits: 8, compression: 1, pixels: [] }), 'BMP images with 8 bits a pixel, compression 1 are not read'],
    ['of 16 bits', bmp({ width: 2, height: 2, bits: 16, pixels: [] }), 'BMP images with 16 bits a pixel'],
  ])('%s', async (_, bytes, message) => {
    const error = await caught(() => parseBmpHeader(bytes));
    expect(error.code).toBe('invalid_argument');
    expect(error.message).toContain(message);
  }); // prettier-ignore

  test('that has too many pixels, before any is looked at', async () => {
    const file = bmp({ width: 2, height: 2, bits: 4, palette: [], pixels: new Array<number>(8).fill(255) });
    const error = await caught(() => Image.decode(file, { maxPixels: 3 }));
    expect(error.code).toBe('invalid_argument');
    expect(error.message).toContain('2 x 2 = 4 pixels, at most 3 are allowed');
  });

  test('whose pixels are numbers of no colour, when they are asked for', async () => {
    const file = bmp({ width: 2, height: 1, bits: 4, palette: [...RED, 0], pixels: [0xff, 0, 0, 0] });
    const image = await Image.decode(file);
    const error = await caught(() => image.pixels());
    expect(error).toMatchObject({
      code: 'invalid_argument',
      message: 'the image is damaged: a BMP file, and a pixel has none of its colours',
    });
  });
});

test('a promise of more colours than can be is not believed', async () => {
  const file = bmp({ width: 1, height: 1, bits: 24, pixels: [...RED, 0] });
  file.writeUInt32LE(0xffff_ffff, 46);
  expect((await (await Image.decode(file)).pixels()).toNested()).toEqual([[rgbRed]]);
});
