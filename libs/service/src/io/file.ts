import { ServeError } from '@bentots/errors';
import { kindOf } from '../kind-of.js';
import { FileValue } from '../values.js';
import { type Body, type Content, type IODescriptor, mediaTypeOf, wrongKind } from './descriptor.js';
import { isMultipart, pickFile } from './pick-file.js';

const ID = 'bentoml.io.File';
const KINDS = ['file', 'bytes'] as const satisfies Content['kind'][];

/** Options of {@link file}. */
export interface FileOptions {
  /** The only media type that is accepted, and that of answers. @default any; answers keep the file's own */
  readonly mimeType?: string;
  /** Larger files are refused. @default the server's limit on bodies */
  readonly maxBytes?: number;
}

/** A file: bytes that nothing looks into. As the body itself, or as the only file of a form. */
export function file(options: FileOptions = {}): IODescriptor<FileValue> {
  const read = (bytes: Uint8Array, given: string | undefined, name?: string): FileValue => {
    const mimeType = mediaTypeOf(given);
    checkSize(bytes, options.maxBytes);
    checkType(mimeType, options.mimeType);
    return new FileValue(bytes, { mimeType: mimeType ?? options.mimeType, name });
  };
  const readForm = async (form: Body): Promise<FileValue> => {
    const expected = options.mimeType;
    const what = expected === undefined ? 'file' : `file of type ${expected}`;
    const matches = (type: string): boolean => expected === undefined || type === expected;
    const { bytes, contentType, fileName } = await pickFile(form, what, matches);
    return read(bytes, contentType, fileName);
  };
  return {
    id: ID,
    contentKinds: KINDS,
    decodeBody: (body) => {
      const { bytes, contentType, fileName } = body;
      return isMultipart(contentType) ? readForm(body) : read(bytes, contentType, fileName);
    },
    encodeBody: (value) => {
      const { bytes, mimeType, name } = checkFile(value);
      const disposition = name === undefined ? {} : { headers: { 'content-disposition': attachment(name) } };
      return { contentType: options.mimeType ?? mimeType, bytes, ...disposition };
    },
    fromContent: (content) => {
      if (content.kind === 'file') return read(content.bytes, content.mimeType);
      if (content.kind === 'bytes') return read(content.bytes, undefined);
      throw wrongKind(ID, KINDS, content);
    },
    toContent: (value) => {
      const { bytes, mimeType } = checkFile(value);
      return { kind: 'file', bytes, mimeType: options.mimeType ?? mimeType };
    },
    openapi: () => ({
      mediaTypes: [options.mimeType ?? 'application/octet-stream'],
      schema: { type: 'string', format: 'binary' },
    }),
    toSpec: () => ({ id: ID, args: { kind: 'binaryio', mime_type: options.mimeType ?? null } }),
  };
}

function checkSize(bytes: Uint8Array, maxBytes: number | undefined): void {
  if (maxBytes !== undefined && bytes.byteLength > maxBytes) {
    throw new ServeError(
      'payload_too_large',
      `the file has ${bytes.byteLength} bytes, at most ${maxBytes} are allowed`,
    );
  }
}

/** A body without a type, or of the type that means "some bytes", is taken for the expected one. */
function checkType(got: string | undefined, expected: string | undefined): void {
  const unknown = got === undefined || got === 'application/octet-stream';
  if (expected === undefined || unknown || got === expected) return;
  throw new ServeError('unsupported_media_type', `the file is ${got}, expected ${expected}`);
}

function checkFile(value: unknown): FileValue {
  if (value instanceof FileValue) return value;
  throw new ServeError('internal', `the API's output is file(), and its function returned ${kindOf(value)}`);
}

/** RFC 6266: the name in ASCII for old readers, and as it is for others. */
function attachment(name: string): string {
  const ascii = name.replace(/[^ !#-[\]-~]/g, '_');
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encodeURIComponent(name)}`;
}
