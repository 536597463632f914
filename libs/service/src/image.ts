import { ServeError } from '@bentots/errors';
import type { Sharp } from 'sharp';
import { decodeBmp, parseBmpHeader } from './bmp.js';
import { messageOf } from './message-of.js';
import { READABLE_MIME_TYPES, sniffImage } from './sniff-image.js';
import { Tensor } from './tensor.js';

/** How the pixels of a picture are laid out. */
export type PixelMode = 'gray' | 'rgb' | 'rgba';

/** Formats that {@link Image.fromPixels} writes. */
export type ImageFormat = 'png' | 'jpeg' | 'webp';

/** Options of {@link Image.decode}. */
export interface ImageDecodeOptions {
  /** More pixels (width × height) than this are refused before any is decoded. @default 64_000_000 */
  readonly maxPixels?: number | undefined;
}

const BMP = 'image/bmp';

const CHANNELS = { gray: 1, rgb: 3, rgba: 4 } as const satisfies Record<PixelMode, number>;

const BRAND = Symbol.for('bentots.Image');

/** A picture as it was sent, its header checked; pixels are decoded when asked for. */
export class Image {
  /** The encoded file. */
  readonly bytes: Uint8Array;
  readonly mimeType: string;
  /** In pixels. */
  readonly width: number;
  /** In pixels. */
  readonly height: number;
  /** @internal Marks images of every copy of this module. */
  readonly [BRAND] = true;

  /** Takes the facts as they are; {@link Image.decode} finds and checks them. */
  constructor(bytes: Uint8Array, facts: { mimeType: string; width: number; height: number }) {
    this.bytes = bytes;
    this.mimeType = facts.mimeType;
    this.width = facts.width;
    this.height = facts.height;
  }

  /** True for images of any copy of this module. */
  static [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && BRAND in value;
  }

  /**
   * Reads the header of an encoded picture: PNG, JPEG, WebP, GIF, TIFF, AVIF or BMP.
   *
   * @throws ServeError `invalid_argument` when it is no such picture or has too many pixels.
   */
  static async decode(bytes: Uint8Array, options: ImageDecodeOptions = {}): Promise<Image> {
    const maxPixels = options.maxPixels ?? 64_000_000;
    const mimeType = sniffImage(bytes);
    if (mimeType === undefined) {
      const known = READABLE_MIME_TYPES.join(', ');
      throw new ServeError(
        'invalid_argument',
        `${bytes.byteLength} bytes are no image; send one of ${known}`,
      );
    }
    const { width, height } =
      mimeType === BMP ? parseBmpHeader(bytes) : await (await open(bytes)).metadata().catch(refuseDamaged);
    if (width * height > maxPixels) {
      const size = `${width} x ${height} = ${width * height} pixels`;
      throw new ServeError('invalid_argument', `the image has ${size}, at most ${maxPixels} are allowed`);
    }
    return new Image(bytes, { mimeType, width, height });
  }

  /** Encodes pixels `[height, width]` (gray) or `[height, width, channels]` with 1 to 4 channels. */
  static async fromPixels(pixels: Tensor<'uint8'>, format: ImageFormat = 'png'): Promise<Image> {
    const [height = 0, width = 0, channels = 1] = pixels.shape;
    const fits = (pixels.rank === 2 || pixels.rank === 3) && pixels.size > 0;
    if (!fits || (channels !== 1 && channels !== 2 && channels !== 3 && channels !== 4)) {
      throw new ServeError(
        'invalid_argument',
        `pixels have shape [${pixels.shape.join(', ')}], expected [height, width] or [height, width, 1 to 4]`,
      );
    }
    const { default: sharp } = await import('sharp');
    const raw = sharp(pixels.bytes(), { raw: { width, height, channels } });
    const bytes = await raw.toFormat(format).toBuffer();
    return new Image(bytes, { mimeType: `image/${format}`, width, height });
  }

  /**
   * The pixels: `[height, width]` for `gray`, else `[height, width, channels]`. Transparency is dropped unless `rgba`.
   *
   * @throws ServeError `invalid_argument` when the picture is damaged behind its header.
   */
  async pixels(mode: PixelMode = 'rgb'): Promise<Tensor<'uint8'>> {
    const image = await open(this.bytes);
    const { data, info } = await inMode(image, mode)
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true })
      .catch((cause: unknown) => {
        const reason = messageOf(cause);
        throw new ServeError('invalid_argument', `the image is damaged: ${reason}`, { cause });
      });
    const shape = [info.height, info.width, CHANNELS[mode]];
    return Tensor.fromBytes('uint8', mode === 'gray' ? shape.slice(0, 2) : shape, data);
  }

  /** The same picture in another format; itself when it has that format. */
  async convert(format: ImageFormat): Promise<Image> {
    const mimeType = `image/${format}`;
    if (this.mimeType === mimeType) return this;
    const bytes = await (await open(this.bytes)).toFormat(format).toBuffer().catch(refuseDamaged);
    return new Image(bytes, { mimeType, width: this.width, height: this.height });
  }
}

function inMode(image: Sharp, mode: PixelMode): Sharp {
  if (mode === 'gray') return image.removeAlpha().toColourspace('b-w');
  const colour = image.toColourspace('srgb');
  return mode === 'rgb' ? colour.removeAlpha() : colour.ensureAlpha();
}

function refuseDamaged(cause: unknown): never {
  throw new ServeError('invalid_argument', `the image is damaged: ${messageOf(cause)}`, { cause });
}

/** The limit on pixels is checked by {@link Image.decode}, with a better message than sharp's. */
async function open(bytes: Uint8Array): Promise<Sharp> {
  // Loaded here so that a process that decodes no picture does not load the native library.
  const { default: sharp } = await import('sharp');
  if (sniffImage(bytes) !== BMP) return sharp(bytes, { limitInputPixels: false });
  const { header, rgbx, rowPixels } = await decodeBmp(bytes);
  const { width, height } = header;
  const raw = sharp(rgbx, { raw: { width: rowPixels, height, channels: 4 } });
  return raw.extract({ left: 0, top: 0, width, height }).removeAlpha();
}
