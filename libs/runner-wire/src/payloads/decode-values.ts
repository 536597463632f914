import {
  FileValue,
  Image,
  type JsonValue,
  type RunnerRecord,
  type RunnerValue,
  Tensor,
} from '@bentots/service';
import { paddingOf } from '../frames/frame.js';
import { DEFAULT_LIMITS, type WireLimits } from '../frames/limits.js';
import { ABSENT, DTYPES_BY_CODE, KIND, MAX_MEMBER_NAME_BYTES, MAX_MEMBERS, MAX_RANK } from './value-kind.js';
import { protocolError } from '../frames/wire-error.js';

/**
 * Back from {@link encodeValues}. Tensors and bytes are views of `bytes` where their alignment allows.
 *
 * @throws ServeError `protocol_error` saying what is malformed.
 */
export function decodeValues(bytes: Uint8Array, limits: WireLimits = DEFAULT_LIMITS): RunnerValue[] {
  const reader = new ValueReader(
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    0,
    bytes.byteLength,
    limits,
  );
  const values: RunnerValue[] = [];
  while (!reader.done) values.push(reader.read());
  return values;
}

/**
 * Reads values out of a payload, one after the other. It makes plain values and the classes of values, nothing else:
 * nothing that a peer sends is executed, looked up as a property or merged into an object.
 */
export class ValueReader {
  readonly #bytes: Buffer;
  readonly #limits: WireLimits;
  readonly #origin: number;
  readonly #end: number;
  #at: number;

  /** Values lie from `start` to `end`; padding counts from `origin`, where the payload begins. */
  constructor(bytes: Buffer, start: number, end: number, limits: WireLimits, origin = start) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    this.#limits = limits;
    this.#origin = origin;
  }

  /** Whether the payload is used up. */
  get done(): boolean {
    return this.#at >= this.#end;
  }

  /** The next value. @throws ServeError `protocol_error` */
  read(depth = 0): RunnerValue {
    const at = this.#skip(8, 'the head of a value');
    const bytes = this.#bytes;
    const kind = bytes.readUInt8(at);
    const length = bytes.readUInt32LE(at + 4);
    switch (kind) {
      case KIND.undefined:
        return undefined;
      case KIND.null:
        return null;
      case KIND.boolean:
        return bytes.readUInt8(at + 1) !== 0;
      case KIND.number:
        return bytes.readDoubleLE(this.#skip(8, 'a number'));
      case KIND.text:
        return this.#text(length);
      case KIND.json:
        return parseJson(this.#text(length));
      case KIND.bytes:
        return this.#body(length);
      case KIND.tensor:
        return this.#tensor(bytes.readUInt8(at + 1), bytes.readUInt16LE(at + 2), length);
      case KIND.file:
        return this.#file(length);
      case KIND.image:
        return this.#image(bytes.readUInt16LE(at + 2), length);
      case KIND.list:
        return this.#list(length, depth + 1);
      case KIND.record:
        return this.#record(length, depth + 1);
      default:
        throw protocolError(`a value has the unknown kind ${kind}`);
    }
  }

  #list(count: number, depth: number): RunnerValue[] {
    this.#checkNesting('a list', count, 8, depth);
    const items: RunnerValue[] = [];
    for (let i = 0; i < count; i += 1) items.push(this.read(depth));
    return items;
  }

  #record(count: number, depth: number): RunnerRecord {
    this.#checkNesting('a record', count, 16, depth);
    if (count > MAX_MEMBERS)
      throw protocolError(`a record has ${count} members, at most ${MAX_MEMBERS} are allowed`);
    const members = new Map<string, RunnerValue>();
    for (let i = 0; i < count; i += 1) {
      const name = this.#memberName();
      if (members.has(name)) throw protocolError(`a record has two members named ${JSON.stringify(name)}`);
      members.set(name, this.read(depth));
    }
    // Defines properties and never sets them: `__proto__` is a name like all others.
    return Object.fromEntries(members);
  }

  #memberName(): string {
    const at = this.#skip(8, 'the name of a member');
    const kind = this.#bytes.readUInt8(at);
    const length = this.#bytes.readUInt32LE(at + 4);
    if (kind !== KIND.text) throw protocolError(`the name of a member is of kind ${kind}, text is expected`);
    if (length > MAX_MEMBER_NAME_BYTES) {
      throw protocolError(
        `the name of a member has ${length} bytes, at most ${MAX_MEMBER_NAME_BYTES} are allowed`,
      );
    }
    return this.#text(length);
  }

  /** Every value has eight bytes at least, so that a count that lies cannot make a long list or record. */
  #checkNesting(what: string, count: number, itemBytes: number, depth: number): void {
    const { maxDepth } = this.#limits;
    if (depth > maxDepth) throw protocolError(`values are nested deeper than ${maxDepth} levels`);
    const left = this.#end - this.#at;
    if (count * itemBytes > left) {
      throw protocolError(`${what} of ${count} values does not fit the ${left} bytes that are left`);
    }
  }

  #tensor(code: number, rank: number, length: number): Tensor {
    const dtype = DTYPES_BY_CODE[code];
    if (dtype === undefined) throw protocolError(`a tensor has the unknown dtype ${code}`);
    if (rank > MAX_RANK) throw protocolError(`a tensor has rank ${rank}, at most ${MAX_RANK} is allowed`);
    const at = this.#skip(rank * 4, 'the shape of a tensor');
    const shape: number[] = [];
    for (let i = 0; i < rank; i += 1) shape.push(this.#bytes.readUInt32LE(at + i * 4));
    this.#pad();
    const data = this.#body(length);
    try {
      if (dtype === 'string') return new Tensor('string', readStrings(data, shape), shape);
      return Tensor.fromBytes(dtype, shape, data);
    } catch (error) {
      throw protocolError(`a tensor is malformed: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  #file(length: number): FileValue {
    const at = this.#skip(8, 'the head of a file');
    const mimeBytes = this.#bytes.readUInt16LE(at);
    const nameBytes = this.#bytes.readUInt16LE(at + 2);
    const mimeType = this.#name(mimeBytes);
    const name = nameBytes === ABSENT ? undefined : this.#name(nameBytes);
    this.#pad();
    return new FileValue(this.#body(length), { mimeType, name });
  }

  #image(mimeBytes: number, length: number): Image {
    const at = this.#skip(8, 'the size of an image');
    const width = this.#bytes.readUInt32LE(at);
    const height = this.#bytes.readUInt32LE(at + 4);
    const mimeType = this.#name(mimeBytes);
    this.#pad();
    return new Image(this.#body(length), { mimeType, width, height });
  }

  #text(length: number): string {
    const at = this.#skip(length, 'a text');
    this.#pad();
    return this.#bytes.toString('utf8', at, at + length);
  }

  #name(length: number): string {
    const at = this.#skip(length, 'a name');
    return this.#bytes.toString('utf8', at, at + length);
  }

  /** A view, never a copy: whoever keeps a small part of it for long pins all of the read it came in. */
  #body(length: number): Uint8Array {
    const at = this.#skip(length, 'bytes');
    this.#pad();
    return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + at, length);
  }

  #skip(length: number, what: string): number {
    const at = this.#at;
    const left = this.#end - at;
    if (length > left)
      throw protocolError(`${what} of ${length} bytes does not fit the ${left} bytes that are left`);
    this.#at = at + length;
    return at;
  }

  #pad(): void {
    this.#at += paddingOf(this.#at - this.#origin);
  }
}

function parseJson(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    throw protocolError(`a value of ${text.length} characters is not valid JSON`);
  }
}

function readStrings(bytes: Uint8Array, shape: readonly number[]): string[] {
  const size = shape.reduce((product, length) => product * length, 1);
  if (size * 4 > bytes.length) throw protocolError(`${size} strings do not fit ${bytes.length} bytes`);
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const texts: string[] = [];
  let at = size * 4;
  for (let i = 0; i < size; i += 1) {
    const end = at + source.readUInt32LE(i * 4);
    if (end > source.length) throw protocolError(`string ${i} of a tensor ends behind its data`);
    texts.push(source.toString('utf8', at, end));
    at = end;
  }
  if (at !== source.length)
    throw protocolError(`the strings of a tensor leave ${source.length - at} bytes over`);
  return texts;
}
