import { ServeError } from '@bentots/errors';

/** What the header of a BMP file says; the native library does not read these files. */
export interface BmpHeader {
  readonly width: number;
  readonly height: number;
  readonly bitsPerPixel: number;
  /** Where the pixels begin, and the colours that they are numbers of. */
  readonly pixelsAt: number;
  readonly paletteAt: number;
  /** Whether the first row in the file is the top one; usually it is the bottom one. */
  readonly topDown: boolean;
}

const RAW = 0;
const BITFIELDS = 3;

/** Reads the header of a BMP file. @throws ServeError `invalid_argument` for kinds that are not read. */
export function parseBmpHeader(bytes: Uint8Array): BmpHeader {
  if (bytes.byteLength < 54) throw damaged(`it has ${bytes.byteLength} bytes, its header alone takes 54`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerSize = view.getUint32(14, true);
  const bitsPerPixel = view.getUint16(28, true);
  const compression = view.getUint32(30, true);
  const plain = compression === RAW || (compression === BITFIELDS && bitsPerPixel === 32);
  if (headerSize < 40 || !plain || ![1, 4, 8, 24, 32].includes(bitsPerPixel)) {
    const kind = `${bitsPerPixel} bits a pixel, compression ${compression}`;
    throw new ServeError('invalid_argument', `BMP images with ${kind} are not read; send PNG instead`);
  }
  const width = view.getInt32(18, true);
  const height = view.getInt32(22, true);
  if (width <= 0 || height === 0) throw damaged(`it is ${width} x ${height} pixels`);
  return {
    width,
    height: Math.abs(height),
    bitsPerPixel,
    pixelsAt: view.getUint32(10, true),
    paletteAt: 14 + headerSize,
    topDown: height < 0,
  };
}

/** The pixels of a BMP file, three bytes each: red, green, blue. @throws ServeError when there are too few. */
export function decodeBmp(bytes: Uint8Array): { header: BmpHeader; rgb: Uint8Array } {
  const header = parseBmpHeader(bytes);
  const { width, height, bitsPerPixel, pixelsAt } = header;
  const stride = Math.ceil((width * bitsPerPixel) / 32) * 4;
  const end = pixelsAt + stride * height;
  if (bytes.byteLength < end) throw damaged(`it has ${bytes.byteLength} bytes, its pixels end at ${end}`);

  const rgb = new Uint8Array(width * height * 3);
  const colourAt = bitsPerPixel <= 8 ? paletteColour(bytes, header) : directColour(bitsPerPixel);
  for (let y = 0, to = 0; y < height; y += 1) {
    const rowAt = pixelsAt + stride * (header.topDown ? y : height - 1 - y);
    for (let x = 0; x < width; x += 1, to += 3) {
      // Stored as blue, green, red.
      const from = colourAt(rowAt, x);
      rgb[to] = bytes[from + 2] ?? 0;
      rgb[to + 1] = bytes[from + 1] ?? 0;
      rgb[to + 2] = bytes[from] ?? 0;
    }
  }
  return { header, rgb };
}

/** Finds where the colour of a pixel stands. */
type ColourAt = (rowAt: number, x: number) => number;

function directColour(bitsPerPixel: number): ColourAt {
  const pixelBytes = bitsPerPixel / 8;
  return (rowAt, x) => rowAt + x * pixelBytes;
}

function paletteColour(bytes: Uint8Array, { bitsPerPixel, paletteAt }: BmpHeader): ColourAt {
  const perByte = 8 / bitsPerPixel;
  const mask = 2 ** bitsPerPixel - 1;
  return (rowAt, x) => {
    const byte = bytes[rowAt + Math.floor(x / perByte)] ?? 0;
    const shift = 8 - bitsPerPixel * ((x % perByte) + 1);
    return paletteAt + ((byte >> shift) & mask) * 4;
  };
}

function damaged(why: string): ServeError {
  return new ServeError('invalid_argument', `the image is damaged: a BMP file, and ${why}`);
}
