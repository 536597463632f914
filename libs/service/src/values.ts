import type { Image } from './image.js';
import type { Tensor } from './tensor.js';

/** What JSON can say. */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };

/**
 * What may cross the border between an API process and a runner. Arrays are several values, or a list batch; records
 * are named ones: `{ ids: tensor, mask: tensor, temperature: 0.7 }`.
 */
export type RunnerValue =
  JsonValue | Tensor | Uint8Array | FileValue | Image | undefined | readonly RunnerValue[] | RunnerRecord;

/** Values by name: a plain object, at any depth. Members that are `undefined` count as absent. */
export interface RunnerRecord {
  readonly [name: string]: RunnerValue;
}

/** Whether a value is a plain object, made by `{}`, JSON.parse or a runner's answer: no array, nor of any class. */
export function isRecord(value: unknown): value is RunnerRecord {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // Those of other realms have another Object.prototype; none has one above it.
  return typeof prototype !== 'object' || prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** What a {@link FileValue} says about its bytes. */
export interface FileValueOptions {
  /** @default 'application/octet-stream' */
  readonly mimeType?: string | undefined;
  /** File name without folders, if there is one. */
  readonly name?: string | undefined;
}

const BRAND = Symbol.for('bentots.FileValue');

/** A file's bytes, with its media type and name. */
export class FileValue {
  readonly bytes: Uint8Array;
  readonly mimeType: string;
  readonly name: string | undefined;
  /** @internal Marks files of every copy of this module. */
  readonly [BRAND] = true;

  constructor(bytes: Uint8Array, options: FileValueOptions = {}) {
    this.bytes = bytes;
    this.mimeType = options.mimeType ?? 'application/octet-stream';
    this.name = options.name;
  }

  /** True for files of any copy of this module. */
  static [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && BRAND in value;
  }

  /** The bytes read as UTF-8; invalid sequences become U+FFFD. */
  text(): string {
    return new TextDecoder().decode(this.bytes);
  }
}
