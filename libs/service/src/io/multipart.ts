import { ServeError } from '@bentots/errors';
import { checkPositive, invalidService } from '../invalid-service.js';
import { kindOf } from '../kind-of.js';
import type { JsonValue } from '../values.js';
import { type IODescriptor, mediaTypeOf, type OpenApiBody } from './descriptor.js';
import { type Part, type PartHead, parseMultipart } from './parse-multipart.js';
import { writeMultipart } from './write-multipart.js';

const ID = 'bentoml.io.Multipart';
const MEDIA_TYPE = 'multipart/form-data';

/** The descriptor of each field, by its name. */
export type MultipartFields = Readonly<Record<string, IODescriptor<unknown>>>;

/** The value of each field. */
export type MultipartValue<F extends MultipartFields> = {
  readonly [K in keyof F]: F[K] extends IODescriptor<infer T> ? T : never;
};

/** Options of {@link multipart}. */
export interface MultipartOptions<F extends MultipartFields> {
  /** Every one is required, once; names begin with a letter or `_` and go on with letters, digits, `_` or `-`. */
  readonly fields: F;
  /** Larger fields are refused. @default the server's limit on bodies */
  readonly maxPartBytes?: number;
}

/**
 * Several values in one form, `multipart/form-data`, in any order:
 * `multipart({ fields: { picture: image(), about: json() } })`. Each field is read and written by its own descriptor.
 * HTTP only, so far.
 */
export function multipart<const F extends MultipartFields>(
  options: MultipartOptions<F>,
): IODescriptor<MultipartValue<F>> {
  const { maxPartBytes } = options;
  const fields = compileFields(options.fields);
  if (maxPartBytes !== undefined) checkPositive('multipart(): maxPartBytes', maxPartBytes);
  return {
    id: ID,
    contentKinds: [],
    decodeBody: async (body) => {
      checkMediaType(body.contentType);
      const parts = await parseMultipart(body, {
        // One more, so that the refusal can name the field that is too many.
        maxParts: fields.size + 1,
        maxPartBytes,
        check: createFieldCheck(fields),
      });
      // Its names were checked against `fields`, whose descriptors say what the values are.
      return (await decodeParts(fields, parts)) as MultipartValue<F>;
    },
    encodeBody: async (value) => writeMultipart(await encodeParts(fields, checkValue(fields, value))),
    fromContent: refuseContent,
    toContent: refuseContent,
    openapi: () => describe(fields),
    toSpec: () => ({ id: ID, args: Object.fromEntries([...fields].map(([name, io]) => [name, specOf(io)])) }),
  };
}

type Fields = ReadonlyMap<string, IODescriptor<unknown>>;

function compileFields(given: MultipartFields): Fields {
  const fields = new Map(Object.entries(given ?? {}));
  if (fields.size === 0) throw invalidService('multipart() has no fields; name at least one');
  for (const [name, io] of fields) {
    if (!/^[A-Za-z_][\w-]*$/.test(name))
      throw invalidService(`multipart(): field '${name}' has to be letters, digits, '_' or '-'`);
    if (typeof io?.decodeBody !== 'function')
      throw invalidService(`multipart(): field '${name}' is no IO descriptor`);
    if (io.id === ID)
      throw invalidService(`multipart(): field '${name}' is a form itself; forms do not nest`);
  }
  return fields;
}

function checkMediaType(contentType: string | undefined): void {
  const type = mediaTypeOf(contentType);
  if (type === MEDIA_TYPE) return;
  const got = type ?? 'no content-type';
  throw new ServeError('unsupported_media_type', `${ID} reads ${MEDIA_TYPE}, got ${got}`);
}

/** Refuses fields that nobody asked for and fields that come twice; for one body. */
function createFieldCheck(fields: Fields): (head: PartHead) => void {
  const seen = new Set<string>();
  return ({ name }) => {
    const known = [...fields.keys()];
    if (!fields.has(name))
      throw invalidField(name, `field ${JSON.stringify(name)} is not known; expected ${known.join(', ')}`);
    if (seen.has(name)) throw invalidField(name, `field '${name}' came twice`);
    seen.add(name);
  };
}

async function decodeParts(fields: Fields, parts: readonly Part[]): Promise<object> {
  const byName = new Map(parts.map((part) => [part.name, part]));
  const missing = [...fields.keys()].filter((name) => !byName.has(name));
  const [first] = missing;
  if (first !== undefined) {
    const which = missing.map((name) => `'${name}'`).join(', ');
    throw invalidField(first, `field${missing.length > 1 ? 's' : ''} ${which} missing; each is required`);
  }
  const entries = [...fields].map(async ([name, io]): Promise<[string, unknown]> => {
    const part = byName.get(name);
    if (part === undefined) throw invalidField(name, `field '${name}' missing`);
    return [name, await inField(name, () => io.decodeBody(part))];
  });
  return Object.fromEntries(await Promise.all(entries));
}

async function encodeParts(fields: Fields, value: ReadonlyMap<string, unknown>) {
  const parts = [...fields].map(async ([name, io]) => {
    const encoded = await inField(name, () => io.encodeBody(value.get(name)));
    return [name, encoded] as const;
  });
  return Promise.all(parts);
}

/** Errors of a field's descriptor, naming the field. */
async function inField<T>(field: string, act: () => T | Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof ServeError)) throw error;
    throw new ServeError(error.code, `field '${field}': ${error.message}`, {
      details: { ...error.details, field },
      cause: error.cause,
    });
  }
}

function checkValue(fields: Fields, value: unknown): ReadonlyMap<string, unknown> {
  if (typeof value !== 'object' || value === null) {
    const message = `the API's output is multipart(), and its function returned ${kindOf(value)}`;
    throw new ServeError('internal', message);
  }
  const entries = new Map<string, unknown>(Object.entries(value));
  const missing = [...fields.keys()].find((name) => !entries.has(name));
  const extra = [...entries.keys()].find((name) => !fields.has(name));
  if (missing === undefined && extra === undefined) return entries;
  const what = missing === undefined ? `a field '${extra}' that it does not know` : `no field '${missing}'`;
  throw new ServeError('internal', `the API's output is multipart(), and its function returned ${what}`);
}

function refuseContent(): never {
  throw new ServeError('unimplemented', `${ID} is not served over gRPC yet; call the API over HTTP`);
}

function describe(fields: Fields): OpenApiBody {
  const bodies = [...fields].map(([name, io]) => [name, io.openapi()] as const);
  return {
    mediaTypes: [MEDIA_TYPE],
    schema: {
      type: 'object',
      properties: Object.fromEntries(bodies.map(([name, { schema }]) => [name, schema])),
      required: [...fields.keys()],
      additionalProperties: false,
    },
    encoding: Object.fromEntries(
      bodies.map(([name, { mediaTypes }]) => [name, { contentType: mediaTypes.join(', ') }]),
    ),
  };
}

function specOf(io: IODescriptor<unknown>): JsonValue {
  const { id, args } = io.toSpec();
  return { id, args: args && { ...args } };
}

function invalidField(field: string, message: string): ServeError {
  return new ServeError('invalid_argument', message, { details: { field } });
}
