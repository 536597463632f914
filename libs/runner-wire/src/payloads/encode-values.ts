import {
  FileValue,
  hasDType,
  Image,
  isRecord,
  type RunnerRecord,
  type RunnerValue,
  Tensor,
} from '@bentots/service';
import { ByteWriter } from '../frames/byte-writer.js';
import { isJsonArray, isJsonObject, nameOf, unsupported } from './json-form.js';
import { DEFAULT_LIMITS } from '../frames/limits.js';
import { ABSENT, DTYPE_CODES, KIND, MAX_MEMBER_NAME_BYTES, MAX_MEMBERS, MAX_RANK } from './value-kind.js';

/**
 * The values as bytes, one after the other, as a list to gather: large arrays are in it by reference, so they must not
 * change until it was sent.
 *
 * @throws ServeError `invalid_argument` naming what cannot be sent.
 */
export function encodeValues(values: readonly RunnerValue[]): Uint8Array[] {
  const writer = new ByteWriter();
  for (const value of values) writeValue(writer, value);
  return writer.take();
}

/**
 * Writes one value; it begins and ends at a multiple of 8 bytes.
 *
 * @throws ServeError `invalid_argument` naming what cannot be sent; what was written of it must be dropped.
 */
export function writeValue(writer: ByteWriter, value: unknown, depth = 0): void {
  switch (typeof value) {
    case 'undefined':
      return writer.head(KIND.undefined, 0, 0, 0);
    case 'boolean':
      return writer.head(KIND.boolean, value ? 1 : 0, 0, 0);
    case 'number':
      writer.head(KIND.number, 0, 0, 8);
      return writer.f64(value);
    case 'string':
      return writer.text(KIND.text, value);
    case 'object':
      return writeObject(writer, value, depth);
    default:
      throw unsupported(nameOf(value));
  }
}

function writeObject(writer: ByteWriter, value: object | null, depth: number): void {
  if (value === null) return writer.head(KIND.null, 0, 0, 0);
  if (value instanceof Tensor) return writeTensor(writer, value);
  if (value instanceof Uint8Array) return writeBytes(writer, value);
  if (Array.isArray(value)) return writeArray(writer, value, depth);
  if (value instanceof FileValue) return writeFile(writer, value);
  if (value instanceof Image) return writeImage(writer, value);
  if (ArrayBuffer.isView(value)) throw unsupported(`a bare ${value.constructor.name} (wrap it in a Tensor)`);
  if (!isRecord(value)) throw unsupported(nameOf(value));
  if (isJsonObject(value)) return writer.text(KIND.json, JSON.stringify(value));
  return writeRecord(writer, value, depth);
}

/** A plain object that JSON alone cannot say; what JSON can say in it still travels so, member by member. */
function writeRecord(writer: ByteWriter, record: RunnerRecord, depth: number): void {
  checkDepth('an object', depth);
  const members = Object.entries(record).filter(([, value]) => value !== undefined);
  if (members.length > MAX_MEMBERS) {
    throw unsupported(
      `an object of ${members.length} members (at most ${MAX_MEMBERS} beside a tensor or bytes)`,
    );
  }
  writer.head(KIND.record, 0, 0, members.length);
  for (const [name, value] of members) {
    checkMemberName(name);
    writer.text(KIND.text, name);
    writeValue(writer, value, depth + 1);
  }
}

/** Names that UTF-8 cannot say would arrive as others, maybe one as another. */
function checkMemberName(name: string): void {
  const bytes = Buffer.byteLength(name);
  if (bytes > MAX_MEMBER_NAME_BYTES) {
    throw unsupported(`an object with a member name of ${bytes} bytes (at most ${MAX_MEMBER_NAME_BYTES})`);
  }
  if (bytes !== name.length && Buffer.from(name).toString() !== name) {
    throw unsupported(`an object with the malformed member name ${JSON.stringify(name)}`);
  }
}

function writeArray(writer: ByteWriter, items: readonly unknown[], depth: number): void {
  if (isJsonArray(items)) return writer.text(KIND.json, JSON.stringify(items));
  checkDepth('a list', depth);
  writer.head(KIND.list, 0, 0, items.length);
  for (const item of items) writeValue(writer, item, depth + 1);
}

function checkDepth(what: string, depth: number): void {
  const { maxDepth } = DEFAULT_LIMITS;
  if (depth >= maxDepth) throw unsupported(`${what} nested deeper than ${maxDepth} levels`);
}

function writeBytes(writer: ByteWriter, bytes: Uint8Array): void {
  writer.head(KIND.bytes, 0, 0, bytes.length);
  writer.raw(bytes);
  writer.pad();
}

function writeTensor(writer: ByteWriter, tensor: Tensor): void {
  const { dtype, shape } = tensor;
  if (shape.length > MAX_RANK) throw unsupported(`a tensor of rank ${shape.length} (at most ${MAX_RANK})`);
  if (hasDType(tensor, 'string')) return writeStrings(writer, tensor);
  writer.head(KIND.tensor, DTYPE_CODES[dtype], shape.length, tensor.byteLength);
  writeShape(writer, shape);
  writer.raw(tensor.bytes());
  writer.pad();
}

/** Strings: the byte length of each, then all of their UTF-8. */
function writeStrings(writer: ByteWriter, tensor: Tensor<'string'>): void {
  const lengths = Uint32Array.from(tensor.data, (text) => Buffer.byteLength(text));
  const text = Buffer.from(tensor.data.join(''));
  writer.head(KIND.tensor, DTYPE_CODES.string, tensor.rank, lengths.byteLength + text.length);
  writeShape(writer, tensor.shape);
  writer.raw(new Uint8Array(lengths.buffer));
  writer.raw(text);
  writer.pad();
}

function writeShape(writer: ByteWriter, shape: readonly number[]): void {
  for (const length of shape) {
    if (length > 0xffff_ffff) throw unsupported(`a tensor dimension of ${length}`);
    writer.u32(length);
  }
  writer.pad();
}

function writeFile(writer: ByteWriter, file: FileValue): void {
  const mimeType = shortText(file.mimeType, 'media type');
  const name = file.name === undefined ? undefined : shortText(file.name, 'name');
  writer.head(KIND.file, 0, 0, file.bytes.length);
  writer.u32(mimeType.length + (name?.length ?? ABSENT) * 0x1_0000);
  writer.u32(0);
  writer.raw(mimeType);
  if (name !== undefined) writer.raw(name);
  writer.pad();
  writer.raw(file.bytes);
  writer.pad();
}

function writeImage(writer: ByteWriter, image: Image): void {
  const mimeType = shortText(image.mimeType, 'media type');
  writer.head(KIND.image, 0, mimeType.length, image.bytes.length);
  writer.u32(image.width);
  writer.u32(image.height);
  writer.raw(mimeType);
  writer.pad();
  writer.raw(image.bytes);
  writer.pad();
}

function shortText(text: string, what: string): Buffer {
  const bytes = Buffer.from(text);
  if (bytes.length <= 1024) return bytes;
  throw unsupported(`a file or image whose ${what} has ${bytes.length} bytes (at most 1024)`);
}
