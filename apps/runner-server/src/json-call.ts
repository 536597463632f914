import { ServeError } from '@bentots/errors';
import {
  FileValue,
  Image,
  isDType,
  type JsonValue,
  type Nested,
  type RunnerMethodSpec,
  type RunnerValue,
  Tensor,
} from '@bentots/service';

/** The body of an HTTP answer. */
export interface JsonAnswer {
  readonly contentType: string;
  readonly body: string | Uint8Array;
}

/**
 * The arguments that a JSON body says, for people with curl. The body is the only argument, or `{"args": [...]}` with
 * several. `{"tensor": [[1, 2]], "dtype": "int32"}` stands for a tensor (dtype may be left out), also as a member of an
 * object; for batchable methods plain nested numbers or booleans do too. An empty body is no argument.
 *
 * @throws ServeError `invalid_argument`.
 */
export function parseJsonArgs(body: string, spec: RunnerMethodSpec): readonly RunnerValue[] {
  if (body.trim() === '') return [];
  const value = parseJson(body);
  const several = isRecord(value) && Object.keys(value).length === 1 ? value['args'] : undefined;
  const args = Array.isArray(several) ? several : [value];
  return args.map((arg) => toArgument(arg, spec.batchable));
}

/** A result as JSON, tensors as nested arrays; a file, a picture or bytes as they are. */
export function formatJsonAnswer(value: RunnerValue): JsonAnswer {
  if (value instanceof FileValue || value instanceof Image) {
    return { contentType: value.mimeType, body: value.bytes };
  }
  if (value instanceof Uint8Array) return { contentType: 'application/octet-stream', body: value };
  return { contentType: 'application/json', body: `${formatJson(value)}\n` };
}

/** One line of JSON. @throws ServeError `unimplemented` for bytes inside of a value. */
export function formatJson(value: RunnerValue): string {
  return JSON.stringify(value ?? null, (_, inner: unknown) => {
    if (inner instanceof FileValue || inner instanceof Image || inner instanceof Uint8Array) {
      throw new ServeError(
        'unimplemented',
        'bytes inside of an answer cannot be said in JSON; use a runner client',
      );
    }
    return inner;
  });
}

function parseJson(body: string): JsonValue {
  try {
    const value: JsonValue = JSON.parse(body);
    return value;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ServeError('invalid_argument', `the body is no JSON: ${reason}`, { cause });
  }
}

function toArgument(value: JsonValue, batchable: boolean): RunnerValue {
  if (batchable && Array.isArray(value) && isNumeric(value)) return Tensor.from(value);
  return isRecord(value) ? fromRecord(value, batchable) : value;
}

/** A tensor that is said in JSON, or named values that may be such tensors. */
function fromRecord(value: { [key: string]: JsonValue }, batchable: boolean): RunnerValue {
  const { tensor, dtype } = value;
  if (!isNested(tensor) || Object.keys(value).some(isNotTensorKey)) {
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => [name, toArgument(member, batchable)]),
    );
  }
  if (dtype === undefined) return Tensor.from(tensor);
  if (isDType(dtype)) return Tensor.from(tensor, dtype);
  throw new ServeError(
    'invalid_argument',
    `dtype ${JSON.stringify(dtype)} is not known; 'float32' is, for example`,
  );
}

function isNotTensorKey(key: string): boolean {
  return key !== 'tensor' && key !== 'dtype';
}

function isRecord(value: JsonValue): value is { [key: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Arrays all the way down; whether they are even is checked, by path, where the tensor is made. */
function isNested(value: JsonValue | undefined): value is JsonValue[] & Nested {
  return Array.isArray(value);
}

function isNumeric(value: JsonValue): value is JsonValue[] & Nested {
  if (Array.isArray(value)) return value.length > 0 && value.every(isNumeric);
  return typeof value === 'number' || typeof value === 'boolean';
}
