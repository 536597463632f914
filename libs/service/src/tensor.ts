import { ServeError } from '@bentots/errors';
import { castData } from './cast.js';
import { type DType, DTYPES, type TensorData } from './dtype.js';
import { dtypeOf, flattenNested, type Nested, type NestedArray, type NestedOf, nestData } from './nested.js';

const BRAND = Symbol.for('bentots.Tensor');

/**
 * Numbers, booleans or strings in a shape: a flat array, row-major, that batches are cut from and joined to.
 *
 * Tensors share memory freely ({@link slice}, {@link reshape}, {@link bytes} are views), so treat `data` as read-only
 * once a tensor was handed on. Misuse throws ServeError `invalid_argument` that names expected and got.
 */
export class Tensor<D extends DType = DType> {
  readonly dtype: D;
  /** The elements, row-major. */
  readonly data: TensorData<D>;
  readonly shape: readonly number[];
  /** @internal Marks tensors of every copy of this module. */
  readonly [BRAND] = true;

  /** Wraps `data` without copying it; its length must be the product of `shape`. */
  constructor(dtype: D, data: TensorData<D>, shape: readonly number[]) {
    if (!DTYPES[dtype].holds(data)) throw invalid(`the data of a ${dtype} tensor is of another array kind`);
    const size = sizeOf(shape);
    if (data.length !== size) {
      throw invalid(`shape ${formatShape(shape)} holds ${size} elements, the data has ${data.length}`);
    }
    this.dtype = dtype;
    this.data = data;
    this.shape = shape;
  }

  /** True for tensors of any copy of this module. */
  static [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && BRAND in value;
  }

  /**
   * A tensor of nested arrays. Without a dtype, numbers become `float32`, booleans `bool`, strings `string` and
   * bigints `int64`. An uneven array or an element that does not fit names its path.
   */
  static from<D extends DType>(nested: Nested, dtype: D): Tensor<D>;
  static from(nested: NestedOf<number>): Tensor<'float32'>;
  static from(nested: NestedOf<boolean>): Tensor<'bool'>;
  static from(nested: NestedOf<string>): Tensor<'string'>;
  static from(nested: Nested): Tensor;
  static from(nested: Nested, dtype: DType = dtypeOf(nested)): Tensor {
    const { data, shape } = flattenNested(nested, dtype);
    return new Tensor(dtype, data, shape);
  }

  /** Zeros, false or empty strings. */
  static zeros<D extends DType>(dtype: D, shape: readonly number[]): Tensor<D> {
    return new Tensor(dtype, DTYPES[dtype].allocate(sizeOf(shape)), shape);
  }

  /** A tensor over raw little-endian bytes: a view when they are aligned, a copy otherwise. Not for strings. */
  static fromBytes<D extends DType>(dtype: D, shape: readonly number[], bytes: Uint8Array): Tensor<D> {
    const { itemBytes, view } = DTYPES[dtype];
    const expected = sizeOf(shape) * itemBytes;
    if (itemBytes === 0) throw invalid('a string tensor has no raw bytes');
    if (bytes.byteLength !== expected) {
      const what = `${dtype} tensor of shape ${formatShape(shape)}`;
      throw invalid(`a ${what} is ${expected} bytes, got ${bytes.byteLength}`);
    }
    const aligned = bytes.byteOffset % itemBytes === 0 ? bytes : new Uint8Array(bytes);
    return new Tensor(dtype, view(aligned), shape);
  }

  /** Joins tensors of one dtype along `dim`; all other dimensions must be equal. */
  static concat<D extends DType>(tensors: readonly Tensor<D>[], dim = 0): Tensor<D> {
    const [first, ...others] = tensors;
    if (first === undefined) throw invalid('concat needs at least one tensor');
    checkDim(first.shape, dim);
    if (others.length === 0) return first;
    for (const other of others) checkConcat(first, other, dim);

    const { allocate, copy, slice } = DTYPES[first.dtype];
    const shape = first.shape.with(
      dim,
      tensors.reduce((total, tensor) => total + (tensor.shape[dim] ?? 0), 0),
    );
    const target = allocate(sizeOf(shape));
    const outer = sizeOf(shape.slice(0, dim));
    const outerStride = outer === 0 ? 0 : target.length / outer;
    tensors.reduce((offset, { data }) => {
      const run = outer === 0 ? 0 : data.length / outer;
      if (outer === 1) copy(data, target, offset);
      else {
        for (let i = 0; i < outer; i += 1) {
          copy(slice(data, i * run, (i + 1) * run), target, i * outerStride + offset);
        }
      }
      return offset + run;
    }, 0);
    return new Tensor(first.dtype, target, shape);
  }

  /** Number of dimensions. */
  get rank(): number {
    return this.shape.length;
  }

  /** Number of elements. */
  get size(): number {
    return this.data.length;
  }

  /** Bytes of the elements; 0 for strings. */
  get byteLength(): number {
    return this.size * DTYPES[this.dtype].itemBytes;
  }

  /** The raw little-endian bytes, as a view. Not for strings. */
  bytes(): Uint8Array {
    const { data } = this;
    if (!ArrayBuffer.isView(data)) throw invalid('a string tensor has no raw bytes');
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  }

  /**
   * The entries `start` to `end` (exclusive) of dimension `dim` (default 0). Along dimension 0 it is a view that shares
   * memory, except for strings; along others a copy.
   */
  slice(start: number, end: number, dim = 0): Tensor<D> {
    const length = checkDim(this.shape, dim);
    if (!Number.isInteger(start) || !Number.isInteger(end) || start < 0 || end < start || end > length) {
      throw invalid(`slice ${start} to ${end} is outside dimension ${dim} of length ${length}`);
    }
    const { allocate, copy, slice } = DTYPES[this.dtype];
    const shape = this.shape.with(dim, end - start);
    const inner = sizeOf(this.shape.slice(dim + 1));
    if (dim === 0) return new Tensor(this.dtype, slice(this.data, start * inner, end * inner), shape);

    const target = allocate(sizeOf(shape));
    const run = (end - start) * inner;
    const stride = length * inner;
    for (let from = start * inner, to = 0; to < target.length; from += stride, to += run) {
      copy(slice(this.data, from, from + run), target, to);
    }
    return new Tensor(this.dtype, target, shape);
  }

  /** The same elements in another shape, sharing memory; one dimension may be -1 and is worked out. */
  reshape(shape: readonly number[]): Tensor<D> {
    const open = shape.indexOf(-1);
    if (open === -1) return new Tensor(this.dtype, this.data, shape);
    const known = sizeOf(shape.toSpliced(open, 1));
    if (known === 0 || this.size % known !== 0) {
      throw invalid(`${this.size} elements do not fit shape ${formatShape(shape)}`);
    }
    return new Tensor(this.dtype, this.data, shape.with(open, this.size / known));
  }

  /**
   * The elements as nested arrays, ready for JSON; for rank 0 use {@link data}. 64-bit integers become numbers when
   * those are exact; beyond 2^53 - 1 it throws ServeError `internal` instead of losing digits: read {@link data}.
   */
  toNested(): NestedArray {
    const nested = nestData(this.dtype, this.data, this.shape);
    return Array.isArray(nested) ? nested : [nested];
  }

  /** So that a tensor inside a JSON answer prints as nested arrays (a scalar for rank 0). */
  toJSON(): NestedArray | number | boolean | string {
    return nestData(this.dtype, this.data, this.shape);
  }

  /**
   * The elements converted as a typed array converts: fractions are cut off, integers wrap, non-zero is `true`.
   * A string that is no number throws; the same dtype returns this tensor.
   */
  astype<E extends DType>(dtype: E): Tensor<E> {
    if (hasDType(this, dtype)) return this;
    return new Tensor(dtype, castData(this.dtype, this.data, dtype), this.shape);
  }
}

/** Whether a tensor is of this dtype, for tensors whose type says only {@link DType}. */
export function hasDType<D extends DType>(tensor: Tensor, dtype: D): tensor is Tensor<D> {
  return tensor.dtype === dtype;
}

/** `[2, -1]`. */
export function formatShape(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}

function sizeOf(shape: readonly number[]): number {
  const size = shape.reduce((product, length) => {
    if (!Number.isInteger(length) || length < 0) {
      throw invalid(`shape ${formatShape(shape)} has a length that is no whole number from 0 up`);
    }
    return product * length;
  }, 1);
  return size;
}

function checkDim(shape: readonly number[], dim: number): number {
  const length = shape[dim];
  if (length === undefined) throw invalid(`shape ${formatShape(shape)} has no dimension ${dim}`);
  return length;
}

function checkConcat(first: Tensor, other: Tensor, dim: number): void {
  if (other.dtype !== first.dtype) {
    throw invalid(`cannot concat tensors of dtype ${first.dtype} and ${other.dtype}`);
  }
  const fits =
    other.rank === first.rank && other.shape.every((length, i) => i === dim || length === first.shape[i]);
  if (!fits) {
    const shapes = `${formatShape(first.shape)} and ${formatShape(other.shape)}`;
    throw invalid(`cannot concat shapes ${shapes} along dimension ${dim}: other dimensions differ`);
  }
}

function invalid(message: string): ServeError {
  return new ServeError('invalid_argument', message);
}
