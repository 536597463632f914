import { randomUUID } from 'node:crypto';
import type { EncodedBody } from './descriptor.js';

/** A `multipart/form-data` body of parts that are encoded each by its own descriptor. */
export function writeMultipart(parts: readonly (readonly [name: string, body: EncodedBody])[]): EncodedBody {
  // Random enough never to be in a part, so that nobody has to look.
  const boundary = `bentots-${randomUUID()}`;
  const pieces = parts.flatMap(([name, { contentType, bytes, headers }]) => [
    Buffer.from(
      `--${boundary}\r\ncontent-disposition: form-data; name="${name}"${fileNameOf(headers)}\r\n` +
        `content-type: ${contentType}\r\n\r\n`,
    ),
    typeof bytes === 'string' ? Buffer.from(bytes) : bytes,
    Buffer.from('\r\n'),
  ]);
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    bytes: Buffer.concat([...pieces, Buffer.from(`--${boundary}--\r\n`)]),
  };
}

/** The format knows no other form of the name than this plain one (RFC 7578). */
function fileNameOf(headers: EncodedBody['headers']): string {
  const [, name] = /filename="([^"]*)"/.exec(headers?.['content-disposition'] ?? '') ?? [];
  return name === undefined ? '' : `; filename="${name}"`;
}
