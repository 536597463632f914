import type { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire';
import { ServeError } from '@bentots/errors';
import type { JsonValue } from '@bentots/service';

/** Levels of lists and objects that a value may have, both ways: enough for data, too few for the stack to overflow. */
export const MAX_JSON_DEPTH = 100;

type JsonObject = { [key: string]: JsonValue };

/** Field numbers of `google.protobuf.Value`, as tags: field × 8 + wire type. */
const TAG = { null: 8, number: 17, string: 26, bool: 32, struct: 42, list: 50 } as const;
/** Of `Struct.fields` and `ListValue.values`, and of the entries of the map. */
const ITEM = 10;
const ENTRY = { key: 10, value: 18 } as const;

/**
 * `google.protobuf.Value` as the JSON value it stands for, read and written without the messages in between.
 * The generated messages call it in place of a generated codec; `wrap` and `unwrap` are what they expect to find.
 */
export const Value = {
  wrap: same,
  unwrap: same,
  /** Writes any value that JSON can hold, by the rules of `JSON.stringify`; `internal` names the place of any other. */
  encode(value: unknown, writer: BinaryWriter): BinaryWriter {
    return writeValue(value, writer, []);
  },
  /** Reads a value; one that says no kind is null. Malformed bytes throw; too deep a value is `invalid_argument`. */
  decode(reader: BinaryReader, length: number): JsonValue {
    return readValue(reader, length, 0);
  },
};

/** `google.protobuf.Struct` as the object it stands for; see {@link Value}. */
export const Struct = {
  wrap: same,
  unwrap: same,
  encode(value: unknown, writer: BinaryWriter): BinaryWriter {
    return isObject(value) ? writeFields(value, writer, []) : writer;
  },
  decode(reader: BinaryReader, length: number): JsonObject {
    return readFields(reader, length, 0);
  },
};

function same<T>(value: T): T {
  return value;
}

type Path = (string | number)[];

function writeValue(value: unknown, writer: BinaryWriter, path: Path): BinaryWriter {
  switch (typeof value) {
    case 'boolean':
      return writer.uint32(TAG.bool).bool(value);
    case 'number':
      return writer.uint32(TAG.number).double(value);
    case 'string':
      return writer.uint32(TAG.string).string(value);
    case 'object':
      return writeObject(value, writer, path);
    // What JSON.stringify makes of these inside a list; inside an object they were left out before.
    case 'undefined':
    case 'function':
    case 'symbol':
      return writer.uint32(TAG.null).int32(0);
    default:
      throw unfit(path, `a ${typeof value}, which JSON cannot hold`);
  }
}

function writeObject(value: object | null, writer: BinaryWriter, path: Path): BinaryWriter {
  if (value === null) return writer.uint32(TAG.null).int32(0);
  if (path.length >= MAX_JSON_DEPTH) throw unfit(path, `nested more than ${MAX_JSON_DEPTH} levels deep`);
  if ('toJSON' in value && typeof value.toJSON === 'function') {
    const plain: unknown = value.toJSON();
    if (plain !== value) return writeValue(plain, writer, path);
  }
  if (Array.isArray(value)) {
    writer.uint32(TAG.list).fork();
    value.forEach((item, index) => {
      path.push(index);
      writeValue(item, writer.uint32(ITEM).fork(), path).join();
      path.pop();
    });
    return writer.join();
  }
  return writeFields(value, writer.uint32(TAG.struct).fork(), path).join();
}

function writeFields(value: object, writer: BinaryWriter, path: Path): BinaryWriter {
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined || typeof item === 'function' || typeof item === 'symbol') continue;
    path.push(key);
    const entry = writer.uint32(ITEM).fork().uint32(ENTRY.key).string(key);
    writeValue(item, entry.uint32(ENTRY.value).fork(), path).join();
    entry.join();
    path.pop();
  }
  return writer;
}

function readValue(reader: BinaryReader, length: number, depth: number): JsonValue {
  const end = reader.pos + length;
  let value: JsonValue = null;
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === TAG.number) value = reader.double();
    else if (tag === TAG.string) value = reader.string();
    else if (tag === TAG.bool) value = reader.bool();
    else if (tag === TAG.struct) value = readFields(reader, reader.uint32(), deeper(depth));
    else if (tag === TAG.list) value = readList(reader, reader.uint32(), deeper(depth));
    else if (tag === TAG.null) value = readNull(reader);
    else reader.skip(tag & 7, tag >>> 3);
  }
  return value;
}

function readNull(reader: BinaryReader): null {
  reader.int32();
  return null;
}

function readList(reader: BinaryReader, length: number, depth: number): JsonValue[] {
  const end = reader.pos + length;
  const items: JsonValue[] = [];
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === ITEM) items.push(readValue(reader, reader.uint32(), depth));
    else reader.skip(tag & 7, tag >>> 3);
  }
  return items;
}

function readFields(reader: BinaryReader, length: number, depth: number): JsonObject {
  const end = reader.pos + length;
  const fields: JsonObject = {};
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === ITEM) readEntry(reader, reader.uint32(), depth, fields);
    else reader.skip(tag & 7, tag >>> 3);
  }
  return fields;
}

function readEntry(reader: BinaryReader, length: number, depth: number, fields: JsonObject): void {
  const end = reader.pos + length;
  let key = '';
  let value: JsonValue = null;
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === ENTRY.key) key = reader.string();
    else if (tag === ENTRY.value) value = readValue(reader, reader.uint32(), depth);
    else reader.skip(tag & 7, tag >>> 3);
  }
  // A plain assignment would set the prototype: the caller must not choose it.
  if (key === '__proto__') {
    Object.defineProperty(fields, key, { value, enumerable: true, writable: true, configurable: true });
  } else fields[key] = value;
}

function deeper(depth: number): number {
  if (depth < MAX_JSON_DEPTH) return depth + 1;
  throw new ServeError('invalid_argument', `json is nested more than ${MAX_JSON_DEPTH} levels deep`);
}

function unfit(path: Path, what: string): ServeError {
  const place = path.slice(0, 8).map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`));
  return new ServeError('internal', `the output of the API is no JSON: $${place.join('')} is ${what}`);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
