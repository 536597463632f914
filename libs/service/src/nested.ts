import { ServeError } from '@bentots/errors';
import { type DType, DTYPES, type PlainScalar, type Scalar, type TensorData } from './dtype.js';
import { kindOf } from './kind-of.js';

/** A value, or arrays of such values nested to any depth. */
export type NestedOf<T> = T | readonly NestedOf<T>[];

/** What a tensor can be made of: numbers, booleans or strings, nested evenly. */
export type Nested = NestedOf<Scalar>;

/** A tensor as nested JSON arrays. */
export type NestedArray = (PlainScalar | NestedArray)[];

/** More dimensions than this are an attack or a mistake. */
const MAX_RANK = 32;

/** The dtype that nested values have when none is asked for: that of their first element. */
export function dtypeOf(nested: unknown): DType {
  if (Array.isArray(nested)) return nested.length === 0 ? 'float32' : dtypeOf(nested[0]);
  if (typeof nested === 'boolean') return 'bool';
  if (typeof nested === 'string') return 'string';
  return typeof nested === 'bigint' ? 'int64' : 'float32';
}

/**
 * Nested arrays as one flat array and a shape.
 *
 * @throws ServeError `invalid_argument` naming the path of the entry that breaks the shape or does not fit the dtype.
 */
export function flattenNested<D extends DType>(
  nested: unknown,
  dtype: D,
): { data: TensorData<D>; shape: number[] } {
  const facts = DTYPES[dtype];
  const shape = shapeOf(nested);
  const rows = collectRows(nested, shape);
  // Only now that the shape is known to be true: the first entries alone could promise terabytes.
  const data = facts.allocate(shape.reduce((product, length) => product * length, 1));
  const rowLength = shape.at(-1) ?? 1;
  for (let i = 0; i < rows.length; i += 1) {
    const row = rows[i] ?? [];
    const misfit = facts.fill(row, data, i * rowLength);
    if (misfit !== -1) throw misfitError(row[misfit], indicesOf(i * rowLength + misfit, shape), dtype);
  }
  return { data, shape };
}

/** A flat array as nested arrays; a scalar when the shape is `[]`. */
export function nestData<D extends DType>(
  dtype: D,
  data: TensorData<D>,
  shape: readonly number[],
): NestedArray | PlainScalar {
  const { row } = DTYPES[dtype];
  const last = shape.length - 1;
  const nest = (depth: number, start: number, end: number): NestedArray => {
    if (depth === last) return row(data, start, end);
    const length = shape[depth] ?? 0;
    const step = (end - start) / length;
    return Array.from({ length }, (_, i) => nest(depth + 1, start + i * step, start + (i + 1) * step));
  };
  return last < 0 ? (row(data, 0, 1)[0] ?? 0) : nest(0, 0, data.length);
}

/** The indices of flat index `flat` in a tensor of this shape. */
export function indicesOf(flat: number, shape: readonly number[]): number[] {
  return shape.map((length, dim) => {
    const stride = shape.slice(dim + 1).reduce((product, inner) => product * inner, 1);
    return Math.floor(flat / stride) % length;
  });
}

/** `[1][2]`, or `the value` for the root. */
export function formatIndexPath(path: readonly number[]): string {
  return path.length === 0 ? 'the value' : path.map((index) => `[${index}]`).join('');
}

/** The shape that the first entries promise. */
function shapeOf(nested: unknown): number[] {
  const shape: number[] = [];
  for (let level = nested; Array.isArray(level); level = level[0]) {
    shape.push(level.length);
    if (shape.length > MAX_RANK) {
      throw new ServeError('invalid_argument', `arrays are nested deeper than ${MAX_RANK} levels`);
    }
  }
  return shape;
}

/** The innermost arrays in order, once every array outside them has the length that the shape promises. */
function collectRows(nested: unknown, shape: readonly number[]): readonly (readonly unknown[])[] {
  if (!Array.isArray(nested)) return [[nested]];
  let level: readonly (readonly unknown[])[] = [nested];
  for (let depth = 1; depth < shape.length; depth += 1) {
    const inner: (readonly unknown[])[] = [];
    for (const entries of level) {
      for (const entry of entries) {
        if (!Array.isArray(entry) || entry.length !== shape[depth]) {
          throw raggedError(entry, indicesOf(inner.length, shape.slice(0, depth)), shape[depth]);
        }
        inner.push(entry);
      }
    }
    level = inner;
  }
  return level;
}

function misfitError(value: unknown, path: readonly number[], dtype: DType): ServeError {
  const where = formatIndexPath(path);
  const message = Array.isArray(value)
    ? `ragged array: ${where} is ${kindOf(value)}, and the entries before it are single values`
    : `${where} is ${kindOf(value)}, expected ${DTYPES[dtype].expects} for dtype ${dtype}`;
  return new ServeError('invalid_argument', message, { details: { path: where, dtype } });
}

function raggedError(entry: unknown, path: readonly number[], length: number | undefined): ServeError {
  const where = formatIndexPath(path);
  const message = `ragged array: ${where} is ${kindOf(entry)}, expected an array of ${length}, as the entries before it are`;
  return new ServeError('invalid_argument', message, { details: { path: where } });
}
