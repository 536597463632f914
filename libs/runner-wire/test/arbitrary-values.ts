import {
  type DType,
  FileValue,
  Image,
  isDType,
  isRecord,
  type JsonValue,
  type RunnerValue,
  Tensor,
} from '@bentots/service';
import fc from 'fast-check';

const ITEM_BYTES: Record<Exclude<DType, 'string'>, number> = {
  float32: 4,
  float64: 8,
  int8: 1,
  uint8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  uint64: 8,
  bool: 1,
};

const text = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'grapheme', minLength: 60, maxLength: 90 }),
);
const bytes = fc.uint8Array({ maxLength: 64 }).map((array) => new Uint8Array(array));
const size = (shape: readonly number[]): number => shape.reduce((product, length) => product * length, 1);
const shape = fc.array(fc.nat({ max: 4 }), { maxLength: 4 });

const numbers: fc.Arbitrary<Tensor> = fc
  .tuple(fc.constantFrom(...Object.entries(ITEM_BYTES)), shape)
  .chain(([[dtype, itemBytes], dims]) => {
    const length = size(dims) * itemBytes;
    return fc.uint8Array({ minLength: length, maxLength: length }).map((raw) => {
      if (!isDType(dtype)) throw new TypeError(dtype);
      return Tensor.fromBytes(dtype, dims, Uint8Array.from(raw));
    });
  });

const strings: fc.Arbitrary<Tensor> = shape.chain((dims) =>
  fc
    .array(text, { minLength: size(dims), maxLength: size(dims) })
    .map((texts): Tensor => new Tensor('string', texts, dims)),
);

// JSON has no -0, and fast-check may make keys that are prototypes' names: those must survive too.
const json: fc.Arbitrary<JsonValue> = fc
  .jsonValue({ maxDepth: 3 })
  .map((value) => JSON.parse(JSON.stringify(value)) as JsonValue);

// `__proto__` among them: fast-check defines members as JSON.parse does.
const memberName = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 90 }),
  fc.constantFrom('__proto__', 'constructor', 'toString', '', '0', '1', 'ids', 'mask'),
);

/** Any value that may cross the hop. */
export const runnerValue: fc.Arbitrary<RunnerValue> = fc.letrec<{ value: RunnerValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    json,
    fc.double(),
    text,
    fc.boolean(),
    fc.constantFrom(undefined, null),
    bytes,
    numbers,
    strings,
    fc
      .tuple(bytes, text, fc.option(text))
      .map(([raw, mimeType, name]) => new FileValue(raw, { mimeType, name: name ?? undefined })),
    fc
      .tuple(bytes, fc.nat(), fc.nat())
      .map(([raw, width, height]) => new Image(raw, { mimeType: 'image/png', width, height })),
    fc.array(tie('value'), { maxLength: 4 }),
    fc
      .uniqueArray(fc.tuple(memberName, tie('value')), { maxLength: 4, selector: ([name]) => name })
      .map(sendableRecord),
  ),
})).value;

/** A record as it arrives: members that are undefined are left out, and JSON's own rules hold where all of it is JSON. */
function sendableRecord(members: [string, RunnerValue][]): RunnerValue {
  const present = members.filter(([, value]) => value !== undefined);
  const isAllJson = present.every(([, value]) => isJson(value));
  return Object.fromEntries(
    present.map(([name, value]) => [name, isAllJson ? JSON.parse(JSON.stringify(value)) : value]),
  );
}

/** What the members of an object may be for it to travel as JSON text. */
function isJson(value: RunnerValue): boolean {
  if (Array.isArray(value)) return value.every(isJson);
  if (isRecord(value)) return Object.values(value).every(isJson);
  return typeof value !== 'object' || value === null;
}
