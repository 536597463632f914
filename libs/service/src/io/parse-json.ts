import { ServeError } from '@bentots/errors';
import type { JsonValue } from '../values.js';
import { decodeUtf8 } from './decode-utf8.js';
import { findJsonError } from './find-json-error.js';

/**
 * Bytes as a JSON value. `what` is `the body` or `the content`.
 *
 * @throws ServeError `invalid_argument` with the position of the mistake.
 */
export function parseJson(what: string, bytes: Uint8Array): JsonValue {
  if (bytes.byteLength === 0) throw new ServeError('invalid_argument', `${what} is empty, expected JSON`);
  const text = decodeUtf8(what, bytes);
  try {
    return JSON.parse(text) as JsonValue;
  } catch (cause) {
    const { index, expected } = findJsonError(text);
    const got =
      index < text.length ? JSON.stringify(String.fromCodePoint(text.codePointAt(index) ?? 0)) : 'the end';
    const position = Buffer.byteLength(text.slice(0, index));
    throw new ServeError(
      'invalid_argument',
      `${what} is no valid JSON: at byte ${position} expected ${expected}, got ${got}`,
      {
        details: { position },
        cause,
      },
    );
  }
}
