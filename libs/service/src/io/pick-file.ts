import { ServeError } from '@bentots/errors';
import { type Body, mediaTypeOf } from './descriptor.js';
import { type Part, parseMultipart } from './parse-multipart.js';

/** A form with a file has few fields beside it. */
const MAX_PARTS = 100;

/** Whether the body is a form, and the file one of its fields. */
export function isMultipart(contentType: string | undefined): boolean {
  return mediaTypeOf(contentType)?.startsWith('multipart/') ?? false;
}

/**
 * The one file of a form, as a body of its own. Fields that are no files do not count, nor files of types that
 * `matches` refuses; a file of no known type is one that matches.
 *
 * @throws ServeError `invalid_argument` unless there is exactly one; `unsupported_media_type` for other multipart types
 */
export async function pickFile(body: Body, what: string, matches: (type: string) => boolean): Promise<Body> {
  const type = mediaTypeOf(body.contentType);
  if (type !== 'multipart/form-data') {
    const message = `of multipart bodies only multipart/form-data is read, got ${type}`;
    throw new ServeError('unsupported_media_type', message);
  }
  const parts = await parseMultipart(body, { maxParts: MAX_PARTS });
  const files = parts.filter((part) => isFile(part) && isMatch(part, matches));
  const [file] = files;
  if (file !== undefined && files.length === 1) return file;
  const found =
    files.length === 0 ? 'none' : `${files.length}: ${files.map(({ name }) => `'${name}'`).join(', ')}`;
  throw new ServeError('invalid_argument', `expected exactly one ${what} in the form, found ${found}`);
}

function isFile({ fileName, contentType }: Part): boolean {
  return fileName !== undefined || contentType !== undefined;
}

function isMatch({ contentType }: Part, matches: (type: string) => boolean): boolean {
  const type = mediaTypeOf(contentType);
  return type === undefined || type === 'application/octet-stream' || matches(type);
}
