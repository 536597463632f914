import { Buffer } from 'node:buffer';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { sniffImage } from './sniff-image.js';

const dot = sharp({ create: { width: 4, height: 4, channels: 3, background: 'red' } });

test.each(['png', 'jpeg', 'webp', 'gif', 'tiff', 'avif'] as const)('a %s file is known', async (format) => {
  expect(sniffImage(await dot.clone().toFormat(format).toBuffer())).toBe(`image/${format}`);
});

test.each([
  ['nothing', ''],
  ['text', 'hello'],
  ['a drawing', '<svg xmlns="http://www.w3.org/2000/svg"/>'],
  ['a document', '%PDF-1.7'],
  ['a sound in the same kind of box as WebP', 'RIFF....WAVEfmt '],
  ['half a signature', '\x89PNG'],
  ['words that begin as BMP files do', 'BMW is a company'],
])('%s is no image', (_, content) => {
  expect(sniffImage(Buffer.from(content, 'latin1'))).toBeUndefined();
});
