import { ServeError } from '@bentots/errors';
import { Image, type ImageFormat } from '../image.js';
import { invalidService } from '../invalid-service.js';
import { kindOf } from '../kind-of.js';
import { type Content, type IODescriptor, wrongKind } from './descriptor.js';
import { isMultipart, pickFile } from './pick-file.js';

const ID = 'bentoml.io.Image';
const KINDS = ['file', 'bytes'] as const satisfies Content['kind'][];
const OUTPUT_FORMATS: ReadonlyMap<string, ImageFormat> = new Map([
  ['image/png', 'png'],
  ['image/jpeg', 'jpeg'],
  ['image/webp', 'webp'],
]);

/** Options of {@link image}. */
export interface ImageOptions {
  /** Media type of answers: `image/png`, `image/jpeg` or `image/webp`. @default 'image/png' */
  readonly mimeType?: string;
  /** Media types that are accepted, found out from the bytes themselves. @default all that can be read */
  readonly allowedMimeTypes?: readonly string[];
  /** Pictures with more pixels are refused before any is decoded. @default 64_000_000 */
  readonly maxPixels?: number;
}

/**
 * A picture: PNG, JPEG, WebP, GIF, TIFF, AVIF or BMP in; PNG, JPEG or WebP out. The bytes decide which it is, not the header.
 * As the body itself, or as the only image of a form.
 */
export function image(options: ImageOptions = {}): IODescriptor<Image> {
  const { mimeType = 'image/png', allowedMimeTypes, maxPixels } = options;
  const format = OUTPUT_FORMATS.get(mimeType);
  if (format === undefined) {
    const known = [...OUTPUT_FORMATS.keys()].join(', ');
    throw invalidService(`image(): mimeType '${mimeType}' cannot be written; use one of ${known}`);
  }
  const read = async (bytes: Uint8Array): Promise<Image> => {
    if (bytes.byteLength === 0)
      throw new ServeError('invalid_argument', 'the body is empty, expected an image');
    const decoded = await Image.decode(bytes, { maxPixels });
    if (allowedMimeTypes === undefined || allowedMimeTypes.includes(decoded.mimeType)) return decoded;
    const allowed = allowedMimeTypes.join(', ');
    throw new ServeError('invalid_argument', `the image is ${decoded.mimeType}, allowed are ${allowed}`, {
      details: { got: decoded.mimeType, allowed: allowedMimeTypes },
    });
  };
  const write = (value: unknown): Promise<Image> => {
    if (value instanceof Image) return value.convert(format);
    throw new ServeError(
      'internal',
      `the API's output is image(), and its function returned ${kindOf(value)}`,
    );
  };
  return {
    id: ID,
    contentKinds: KINDS,
    decodeBody: async (body) => {
      if (!isMultipart(body.contentType)) return read(body.bytes);
      return read((await pickFile(body, 'image', (type) => type.startsWith('image/'))).bytes);
    },
    encodeBody: async (value) => ({
      contentType: mimeType,
      bytes: (await write(value)).bytes,
      headers: { 'content-disposition': `attachment; filename="output.${format}"` },
    }),
    fromContent: (content) => {
      if (content.kind === 'file' || content.kind === 'bytes') return read(content.bytes);
      throw wrongKind(ID, KINDS, content);
    },
    toContent: async (value) => ({ kind: 'file', bytes: (await write(value)).bytes, mimeType }),
    openapi: () => ({
      mediaTypes: [...new Set([mimeType, ...(allowedMimeTypes ?? ['image/*'])])],
      schema: { type: 'string', format: 'binary' },
    }),
    toSpec: () => ({
      id: ID,
      args: {
        mime_type: mimeType,
        allowed_mime_types: allowedMimeTypes ? [...allowedMimeTypes] : null,
        pilmode: null,
      },
    }),
  };
}
