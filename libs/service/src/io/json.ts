import { ServeError } from '@bentots/errors';
import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec';
import type { JsonValue } from '../values.js';
import { type Content, type IODescriptor, type JsonSchema, wrongKind } from './descriptor.js';
import { formatPath } from './format-path.js';
import { stringifyJson } from './json-output.js';
import { parseJson } from './parse-json.js';

const ID = 'bentoml.io.JSON';
const KINDS = ['json', 'bytes'] as const satisfies Content['kind'][];

/** Options of {@link json}. */
export interface JsonOptions<T> {
  /** A schema of any library that speaks Standard Schema (zod, valibot, arktype …); checks requests, not answers. */
  readonly schema?: StandardSchemaV1<unknown, T>;
  /** Shown in the documentation. */
  readonly example?: JsonValue;
}

/**
 * JSON of any shape, or of the shape that a schema gives. Requests are parsed whatever their content-type says.
 * Answers with NaN or Infinity are refused: JSON has no word for them.
 */
export function json<T = JsonValue>(options: JsonOptions<T> = {}): IODescriptor<T> {
  const { schema, example } = options;
  // Without a schema the caller's `T` is a claim that nothing here can check.
  const check = schema ? (value: JsonValue) => validate(schema, value) : (value: JsonValue) => value as T;
  return {
    id: ID,
    contentKinds: KINDS,
    decodeBody: ({ bytes }) => check(parseJson('the body', bytes)),
    encodeBody: (value) => ({ contentType: 'application/json', bytes: stringifyJson(value) }),
    fromContent: (content) => {
      if (content.kind === 'json') return check(content.value);
      if (content.kind === 'bytes') return check(parseJson('the content', content.bytes));
      throw wrongKind(ID, KINDS, content);
    },
    toContent: (value) => {
      const written = stringifyJson(value);
      return { kind: 'json', value: written === '' ? null : (JSON.parse(written) as JsonValue) };
    },
    openapi: () => ({
      mediaTypes: ['application/json'],
      schema: schema ? schemaOf(schema) : {},
      ...(example !== undefined && { example }),
    }),
    toSpec: () => ({ id: ID, args: { has_pydantic_model: false, has_json_encoder: false } }),
  };
}

async function settle<T>(
  schema: StandardSchemaV1<unknown, T>,
  result: Promise<StandardSchemaV1.Result<T>>,
): Promise<T> {
  return accept(schema, await result);
}

function validate<T>(schema: StandardSchemaV1<unknown, T>, value: JsonValue): T | Promise<T> {
  const result = schema['~standard'].validate(value);
  return result instanceof Promise ? settle(schema, result) : accept(schema, result);
}

/** The valid value, or an error that lists every violation with its path. */
function accept<T>(_schema: StandardSchemaV1<unknown, T>, result: StandardSchemaV1.Result<T>): T {
  if (!result.issues) return result.value;
  const issues = result.issues.map(({ path = [], message }) => ({
    path: formatPath(path.map((part) => (typeof part === 'object' ? part.key : part))),
    message,
  }));
  const list = issues.map(({ path, message }) => `${path}: ${message}`).join('; ');
  throw new ServeError('invalid_argument', `the input does not match its schema: ${list}`, {
    details: { issues },
  });
}

/** The schema as JSON Schema, where its library can say it. */
function schemaOf<T>(schema: StandardSchemaV1<unknown, T>): JsonSchema {
  if (!hasJsonSchema(schema)) return {};
  try {
    return schema['~standard'].jsonSchema.input({ target: 'openapi-3.0' });
  } catch {
    // A library may know no JSON Schema for a part of the schema; documentation then says less, requests still work.
    return {};
  }
}

function hasJsonSchema(schema: object): schema is StandardJSONSchemaV1 {
  const standard: unknown = Reflect.get(schema, '~standard');
  return typeof standard === 'object' && standard !== null && 'jsonSchema' in standard;
}
