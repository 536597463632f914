import { Buffer } from 'node:buffer';
import { ServeError } from '@bentots/errors';

/** What the header of a BMP file says; the native library does not read these files. */
export interface BmpHeader {
  readonly width: number;
  readonly height: number;
  readonly bitsPerPixel: number;
  /** The colours that pixels of up to 8 bits are numbers of. */
  readonly colours: number;
  readonly coloursAt: number;
  readonly pixelsAt: number;
  /** Whether masks behind the header say which bits of a pixel are red, green and blue. */
  readonly hasMasks: boolean;
}

const HEADER_BYTES = 54;
const MASK_BYTES = 12;

/**
 * Reads the header of a BMP file, and checks that the file is long enough for it: what decoding allocates is bounded by
 * what was sent.
 *
 * @throws ServeError `invalid_argument`, also for kinds that the decoder gets wrong: compressed ones, and 16 bits.
 */
export function parseBmpHeader(bytes: Uint8Array): BmpHeader {
  if (bytes.byteLength < HEADER_BYTES) {
    throw damaged(`it has ${bytes.byteLength} bytes, its header alone takes ${HEADER_BYTES}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [bitsPerPixel, compression] = [view.getUint16(28, true), view.getUint32(30, true)];
  const headerSize = view.getUint32(14, true);
  const hasMasks = compression === 3 && bitsPerPixel === 32;
  const isPlain = headerSize >= 40 && (compression === 0 || hasMasks);
  if (!isPlain || ![1, 4, 8, 24, 32].includes(bitsPerPixel)) {
    const kind = `${bitsPerPixel} bits a pixel, compression ${compression}`;
    throw new ServeError('invalid_argument', `BMP images with ${kind} are not read; send PNG instead`);
  }
  const [width, height] = [view.getInt32(18, true), Math.abs(view.getInt32(22, true))];
  if (width <= 0 || height === 0) throw damaged(`it is ${width} x ${height} pixels`);
  const maxColours = bitsPerPixel > 8 ? 0 : 2 ** bitsPerPixel;
  const colours = Math.min(view.getUint32(46, true) || maxColours, maxColours);
  const [coloursAt, pixelsAt] = [14 + headerSize, view.getUint32(10, true)];
  const end = pixelsAt + Math.ceil((width * bitsPerPixel) / 32) * 4 * height;
  if (bytes.byteLength < end) throw damaged(`it has ${bytes.byteLength} bytes, its pixels end at ${end}`);
  return { width, height, bitsPerPixel, colours, coloursAt, pixelsAt, hasMasks };
}

/** The pixels of a BMP file: red, green, blue and a filler; rows may be longer than the picture is wide. */
export async function decodeBmp(
  bytes: Uint8Array,
): Promise<{ header: BmpHeader; rgbx: Uint8Array; rowPixels: number }> {
  const header = parseBmpHeader(bytes);
  // Loaded here for the few processes that meet such a file.
  const { decode } = await import('bmp-ts');
  try {
    const { data, width } = decode(arrange(bytes, header));
    return { header, rgbx: data.swap32(), rowPixels: width };
  } catch (cause) {
    // The decoder's words are about its own variables.
    throw damaged('a pixel has none of its colours', cause);
  }
}

/**
 * The same picture in the plainest form. The decoder looks for the pixels right behind the colours, wherever the header
 * says they are; it takes masks from long headers that hold none; it ends with the first row where 4-bit rows end in half a byte.
 */
function arrange(bytes: Uint8Array, header: BmpHeader): Buffer {
  const { width, bitsPerPixel, colours, coloursAt, pixelsAt, hasMasks } = header;
  const head = bytes.subarray(0, HEADER_BYTES + (hasMasks ? MASK_BYTES : 0));
  const palette = bytes.subarray(coloursAt, coloursAt + 4 * colours);
  const file = Buffer.concat([head, palette, bytes.subarray(pixelsAt)]);
  file.writeUInt32LE(40, 14);
  file.writeUInt32LE(bitsPerPixel === 4 ? width + (width % 2) : width, 18);
  file.writeUInt32LE(colours, 46);
  return file;
}

function damaged(why: string, cause?: unknown): ServeError {
  return new ServeError('invalid_argument', `the image is damaged: a BMP file, and ${why}`, { cause });
}
