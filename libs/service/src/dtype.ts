import { ServeError } from '@bentots/errors';

/** The array that holds the elements of each dtype. */
export interface TensorDataByDType {
  float32: Float32Array;
  float64: Float64Array;
  int8: Int8Array;
  uint8: Uint8Array;
  int16: Int16Array;
  uint16: Uint16Array;
  int32: Int32Array;
  uint32: Uint32Array;
  int64: BigInt64Array;
  uint64: BigUint64Array;
  /** One byte an element: 0 or 1. */
  bool: Uint8Array;
  string: string[];
}

/** What the elements of a tensor are. */
export type DType = keyof TensorDataByDType;

/** The array that holds the elements of a tensor of dtype `D`. */
export type TensorData<D extends DType = DType> = TensorDataByDType[D];

/** One element, as plain JavaScript has it; `bigint` only for 64-bit integers. */
export type Scalar = number | bigint | boolean | string;

/** One element as JSON has it. */
export type PlainScalar = number | boolean | string;

/** How the elements of one dtype are stored, read and written. */
export interface DTypeFacts<D extends DType> {
  /** Bytes of one element; 0 for strings, which have no fixed size. */
  readonly itemBytes: number;
  /** What a plain value must be to become an element: `an integer from -128 to 127`. */
  readonly expects: string;
  /** Whether `data` is the array kind of this dtype. */
  holds(data: unknown): boolean;
  /** `size` elements: zeros, false or empty strings. */
  allocate(size: number): TensorData<D>;
  /** Elements over raw little-endian bytes without a copy; the bytes must be aligned. Not for strings. */
  view(bytes: Uint8Array): TensorData<D>;
  /** Elements `start` to `end`: a view, for strings a copy. */
  slice(data: TensorData<D>, start: number, end: number): TensorData<D>;
  /** Copies all of `source` into `target` from `offset` on. */
  copy(source: TensorData<D>, target: TensorData<D>, offset: number): void;
  /**
   * Elements `start` to `end` as JSON has them.
   *
   * @throws ServeError `internal` for a 64-bit integer beyond 2^53 - 1, which no JavaScript number holds.
   */
  row(data: TensorData<D>, start: number, end: number): PlainScalar[];
  /** Writes plain values from `offset` on; the index of the first that does not fit, or -1. */
  fill(row: readonly unknown[], data: TensorData<D>, offset: number): number;
}

type FloatArray = Float32Array | Float64Array;
type IntegerArray = Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array;
type BigArray = BigInt64Array | BigUint64Array;

interface ArrayClass<A> {
  readonly BYTES_PER_ELEMENT: number;
  new (size: number): A;
  new (buffer: ArrayBufferLike, byteOffset: number, size: number): A;
}

/** The part of a dtype's facts that every typed array shares. */
function storage<A extends FloatArray | IntegerArray | BigArray>(kind: ArrayClass<A>) {
  const itemBytes = kind.BYTES_PER_ELEMENT;
  return {
    itemBytes,
    holds: (data: unknown) => data instanceof kind,
    allocate: (size: number) => new kind(size),
    view: (bytes: Uint8Array) => new kind(bytes.buffer, bytes.byteOffset, bytes.byteLength / itemBytes),
    slice: (data: A, start: number, end: number) =>
      new kind(data.buffer, data.byteOffset + start * itemBytes, end - start),
    copy: (source: A, target: A, offset: number) => {
      const bytes = new Uint8Array(target.buffer, target.byteOffset, target.byteLength);
      bytes.set(new Uint8Array(source.buffer, source.byteOffset, source.byteLength), offset * itemBytes);
    },
  };
}

/** A loop, because `Array.from` of a typed array takes four times as long. */
function numbersOf(data: FloatArray | IntegerArray, start: number, end: number): PlainScalar[] {
  const numbers: number[] = [];
  for (let i = start; i < end; i += 1) numbers.push(data[i] ?? 0);
  return numbers;
}

function floats<A extends FloatArray>(kind: ArrayClass<A>) {
  return {
    ...storage(kind),
    expects: 'a number',
    row: numbersOf,
    fill: (row: readonly unknown[], data: FloatArray, offset: number) => {
      for (let i = 0; i < row.length; i += 1) {
        const value = row[i];
        if (typeof value !== 'number') return i;
        data[offset + i] = value;
      }
      return -1;
    },
  };
}

function integers<A extends IntegerArray>(kind: ArrayClass<A>, min: number, max: number) {
  return {
    ...storage(kind),
    expects: `an integer from ${min} to ${max}`,
    row: numbersOf,
    fill: (row: readonly unknown[], data: IntegerArray, offset: number) => {
      for (let i = 0; i < row.length; i += 1) {
        const value = row[i];
        if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) return i;
        data[offset + i] = value;
      }
      return -1;
    },
  };
}

/** A number outside the safe range is refused: it has already lost digits. */
function bigIntegers<A extends BigArray>(kind: ArrayClass<A>, min: bigint, max: bigint) {
  return {
    ...storage(kind),
    expects: `an exact integer from ${min} to ${max}`,
    row: (data: A, start: number, end: number): PlainScalar[] =>
      Array.from(data.subarray(start, end), exactNumber),
    fill: (row: readonly unknown[], data: BigArray, offset: number) => {
      for (let i = 0; i < row.length; i += 1) {
        const value = row[i];
        if (typeof value !== 'bigint' && !Number.isSafeInteger(value)) return i;
        const big = BigInt(String(value));
        if (big < min || big > max) return i;
        data[offset + i] = big;
      }
      return -1;
    },
  };
}

function exactNumber(value: bigint): number {
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  const hint = "read the bigint from .data, or convert with astype('string')";
  throw new ServeError('internal', `the 64-bit integer ${value} has no exact JavaScript number: ${hint}`);
}

const booleans: DTypeFacts<'bool'> = {
  ...storage(Uint8Array),
  expects: 'a boolean',
  row: (data, start, end) => Array.from(data.subarray(start, end), (byte) => byte !== 0),
  fill: (row, data, offset) => {
    for (let i = 0; i < row.length; i += 1) {
      const value = row[i];
      if (typeof value !== 'boolean') return i;
      data[offset + i] = value ? 1 : 0;
    }
    return -1;
  },
};

const strings: DTypeFacts<'string'> = {
  itemBytes: 0,
  expects: 'a string',
  holds: Array.isArray,
  allocate: (size) => new Array<string>(size).fill(''),
  // Only Tensor.fromBytes comes here, and it refuses strings before it does.
  view: () => [],
  slice: (data, start, end) => data.slice(start, end),
  copy: (source, target, offset) => {
    for (let i = 0; i < source.length; i += 1) target[offset + i] = source[i] ?? '';
  },
  row: (data, start, end) => data.slice(start, end),
  fill: (row, data, offset) => {
    for (let i = 0; i < row.length; i += 1) {
      const value = row[i];
      if (typeof value !== 'string') return i;
      data[offset + i] = value;
    }
    return -1;
  },
};

/** The facts of every dtype. */
export const DTYPES: { readonly [D in DType]: DTypeFacts<D> } = {
  float32: floats(Float32Array),
  float64: floats(Float64Array),
  int8: integers(Int8Array, -128, 127),
  uint8: integers(Uint8Array, 0, 255),
  int16: integers(Int16Array, -32_768, 32_767),
  uint16: integers(Uint16Array, 0, 65_535),
  int32: integers(Int32Array, -2_147_483_648, 2_147_483_647),
  uint32: integers(Uint32Array, 0, 4_294_967_295),
  int64: bigIntegers(BigInt64Array, -(2n ** 63n), 2n ** 63n - 1n),
  uint64: bigIntegers(BigUint64Array, 0n, 2n ** 64n - 1n),
  bool: booleans,
  string: strings,
};

/** Whether `value` names a dtype, for names that come from outside. */
export function isDType(value: unknown): value is DType {
  return typeof value === 'string' && Object.hasOwn(DTYPES, value);
}
