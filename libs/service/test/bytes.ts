import { Buffer } from 'node:buffer';
import type { Body, EncodedBody } from '../src/index.js';

/** A request's body, as an HTTP edge hands it over. */
export function body(content: string | Uint8Array, contentType?: string): Body {
  return { contentType, bytes: typeof content === 'string' ? Buffer.from(content) : content };
}

/** An answer's body as text. */
export function asText(encoded: EncodedBody): string {
  return Buffer.from(encoded.bytes).toString('utf8');
}
