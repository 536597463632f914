import { Metadata } from '@grpc/grpc-js';
import { ServeError } from '@bentots/errors';

/** What the client sent, as API functions read it: lower-case keys, several values joined, binary ones in base64. */
export function readMetadata(metadata: Metadata): Readonly<Record<string, string>> {
  const headers = metadata.toHttp2Headers();
  const read: Record<string, string> = {};
  for (const key in headers) {
    const values = headers[key];
    read[key] = Array.isArray(values) ? values.join(', ') : String(values);
  }
  return read;
}

/** Headers that frame an HTTP answer: a function that serves both protocols may set them, gRPC frames by itself. */
const FRAMING =
  /^(connection|content-encoding|content-length|content-type|grpc-.*|keep-alive|te|trailer|transfer-encoding|upgrade)$/i;

/**
 * What an API function set in `ctx.response.metadata`, for the wire: keys that end in `-bin` hold base64.
 * A key or value that gRPC cannot carry is `internal` and named: it is the service's mistake, not the caller's.
 */
export function writeMetadata(values: Readonly<Record<string, string>>): Metadata {
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(values)) {
    if (FRAMING.test(key)) continue;
    try {
      metadata.set(key, key.endsWith('-bin') ? Buffer.from(value, 'base64') : value);
    } catch (cause) {
      throw new ServeError('internal', `gRPC cannot carry the response metadata '${key}': '${value}'`, {
        cause,
      });
    }
  }
  return metadata;
}
