import type { Readable } from 'node:stream';
import type { BusboyInstance } from '@fastify/busboy';
import { ServeError } from '@bentots/errors';
import { messageOf } from '../message-of.js';
import { type Body, mediaTypeOf } from './descriptor.js';

/** What stands before the bytes of a part. */
export interface PartHead {
  readonly name: string;
  /** Undefined where the sender named none. */
  readonly contentType: string | undefined;
  /** Without folders; undefined where the sender named none. */
  readonly fileName: string | undefined;
}

/** One part of a `multipart/form-data` body. */
export interface Part extends PartHead {
  readonly bytes: Uint8Array;
}

/** What {@link parseMultipart} lets through. */
export interface MultipartLimits {
  readonly maxParts: number;
  /** @default no limit but that of the body */
  readonly maxPartBytes?: number | undefined;
  /** Is shown each part before its bytes are read; what it throws is the answer. */
  readonly check?: (head: PartHead) => void;
}

/** The parser works on this much at once, so that a refused body costs no more than that. */
const SLICE_BYTES = 1 << 20;
const PLAIN_ENCODINGS = ['7bit', '8bit', 'binary'];

/**
 * The parts of a body, in their order.
 *
 * @throws ServeError `invalid_argument` for a body that breaks the format or has too many parts; `payload_too_large`;
 * `unsupported_media_type` for an encoding that the format gave up long ago
 */
export async function parseMultipart(body: Body, limits: MultipartLimits): Promise<readonly Part[]> {
  // Loaded with the first such body: most services get none.
  const { Busboy } = await import('@fastify/busboy');
  try {
    const parser = new Busboy({
      headers: { 'content-type': body.contentType ?? '' },
      // All alike: else some would come as text, in whatever encoding they claim.
      isPartAFile: () => true,
      limits: { parts: limits.maxParts, fileSize: limits.maxPartBytes },
    });
    return await readParts(parser, body.bytes, limits);
  } catch (cause) {
    if (cause instanceof ServeError) throw cause;
    const reason = messageOf(cause);
    throw new ServeError('invalid_argument', `the multipart body cannot be read: ${reason}`, { cause });
  }
}

function readParts(
  parser: BusboyInstance,
  bytes: Uint8Array,
  limits: MultipartLimits,
): Promise<readonly Part[]> {
  return new Promise((resolve, reject) => {
    const parts: Part[] = [];
    const state = { failed: false };
    const fail = (error: unknown): void => {
      state.failed = true;
      reject(error);
    };
    parser.on('file', (name: string | undefined, stream, fileName: string | undefined, encoding, type) => {
      // Whatever comes after a refusal is read away.
      if (state.failed) return void stream.on('error', fail).resume();
      try {
        const head = compileHead(name, fileName, type, encoding);
        limits.check?.(head);
        const tooLarge = (): void => fail(refuseSize(head.name, limits.maxPartBytes));
        collect(stream.on('error', fail).on('limit', tooLarge), (content) => {
          parts.push({ ...head, bytes: content });
        });
      } catch (error) {
        stream.on('error', fail).resume();
        fail(error);
      }
    });
    parser.on('partsLimit', () => fail(refuseCount(limits.maxParts)));
    parser.on('error', fail);
    parser.on('finish', () => resolve(parts));
    const feed = (offset: number): void => {
      if (state.failed) return;
      if (offset >= bytes.byteLength) return void parser.end();
      const end = offset + SLICE_BYTES;
      parser.write(bytes.subarray(offset, end), () => feed(end));
    };
    feed(0);
  });
}

function collect(stream: Readable, done: (bytes: Uint8Array) => void): void {
  const pieces: Buffer[] = [];
  stream.on('data', (piece: Buffer) => pieces.push(piece));
  stream.on('end', () => {
    const [first] = pieces;
    done(first !== undefined && pieces.length === 1 ? first : Buffer.concat(pieces));
  });
}

function compileHead(
  name: string | undefined,
  fileName: string | undefined,
  type: string,
  encoding: string,
): PartHead {
  if (name === undefined)
    throw new ServeError('invalid_argument', 'a part of the multipart body has no name');
  if (!PLAIN_ENCODINGS.includes(encoding)) {
    const message = `field '${name}' has the content-transfer-encoding ${encoding}; send its bytes as they are`;
    throw new ServeError('unsupported_media_type', message, { details: { field: name } });
  }
  // The parser says text/plain where there is no content-type, as the format has it; nobody means it for a file.
  const contentType = mediaTypeOf(type) === 'text/plain' ? undefined : type;
  return { name, fileName, contentType };
}

function refuseSize(field: string, maxBytes: number | undefined): ServeError {
  return new ServeError('payload_too_large', `field '${field}' has more than ${maxBytes} bytes`, {
    details: { field, maxBytes },
  });
}

function refuseCount(max: number): ServeError {
  return new ServeError('invalid_argument', `the multipart body has more than ${max} parts`);
}
