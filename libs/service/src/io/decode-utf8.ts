import { Buffer, isUtf8 } from 'node:buffer';
import { ServeError } from '@bentots/errors';

/** Bytes as text. `what` begins the error for bytes that are no UTF-8. */
export function decodeUtf8(what: string, bytes: Uint8Array): string {
  if (!isUtf8(bytes)) {
    throw new ServeError('invalid_argument', `${what} is no valid UTF-8 text`);
  }
  const buffer = Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return buffer.toString('utf8');
}
