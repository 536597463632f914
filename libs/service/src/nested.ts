import { ServeError } from '@bentots/errors';
import { type DType, DTYPES, type Scalar, type TensorData } from './dtype.js';
import { kindOf } from './kind-of.js';

/** A value, or arrays of such values nested to any depth. */
export type NestedOf<T> = T | readonly NestedOf<T>[];

/** What a tensor can be made of: numbers, booleans or strings, nested evenly. */
export type Nested = NestedOf<Scalar>;

/** A tensor as nested JSON arrays. */
export type NestedArray = (number | boolean | string | NestedArray)[];

/** More dimensions than this are an attack or a mistake. */
const MAX_RANK = 32;

/** The dtype that nested values have when none is asked for: that of their first element. */
export function dtypeOf(nested: unknown): DType {
  if (Array.isArray(nested)) return nested.length === 0 ? 'float32' : dtypeOf(nested[0]);
  if (typeof nested === 'boolean') return 'bool';
  if (typeof nested === 'string') return 'string';
  return typeof nested === 'bigint' ? 'int64' : 'float32';
}

/** The shape that the first entries promise; {@link flattenNested} checks that the others keep it. */
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
  const data = facts.allocate(shape.reduce((product, length) => product * length, 1));
  const path: number[] = [];
  const last = shape.length - 1;
  const state = { offset: 0 };

  const writeRow = (row: readonly unknown[]): void => {
    const misfit = facts.fill(row, data, state.offset);
    if (misfit !== -1) throw misfitError(row[misfit], [...path, misfit], dtype);
    state.offset += row.length;
  };
  const walk = (level: unknown, depth: number): void => {
    if (!Array.isArray(level)) throw raggedError(level, path, shape, depth);
    if (level.length !== shape[depth]) throw raggedError(level, path, shape, depth);
    if (depth === last) return writeRow(level);
    for (let i = 0; i < level.length; i += 1) {
      path.push(i);
      walk(level[i], depth + 1);
      path.pop();
    }
  };

  if (last >= 0) walk(nested, 0);
  else if (facts.fill([nested], data, 0) !== -1) throw misfitError(nested, [], dtype);
  return { data, shape };
}

/**
 * A flat array as nested arrays; a scalar when the shape is `[]`.
 *
 * @throws ServeError `internal` for a 64-bit integer beyond 2^53 - 1, which no JavaScript number holds.
 */
export function nestData<D extends DType>(
  dtype: D,
  data: TensorData<D>,
  shape: readonly number[],
): NestedArray | number | boolean | string {
  const facts = DTYPES[dtype];
  const last = shape.length - 1;
  const nest = (depth: number, offset: number, stride: number): NestedArray => {
    const length = shape[depth] ?? 0;
    if (depth === last) return facts.row(data, offset, offset + length).map(plainScalar);
    const step = length === 0 ? 0 : stride / length;
    return Array.from({ length }, (_, i) => nest(depth + 1, offset + i * step, step));
  };
  if (last < 0) return facts.row(data, 0, 1).map(plainScalar)[0] ?? 0;
  return nest(0, 0, data.length);
}

function plainScalar(value: Scalar): number | boolean | string {
  if (typeof value !== 'bigint') return value;
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  const hint = "read the bigint from .data, or convert with astype('string')";
  throw new ServeError('internal', `the 64-bit integer ${value} has no exact JavaScript number: ${hint}`);
}

/** `[1][2]`, or `the value` for the root. */
export function formatIndexPath(path: readonly number[]): string {
  return path.length === 0 ? 'the value' : path.map((index) => `[${index}]`).join('');
}

function misfitError(value: unknown, path: readonly number[], dtype: DType): ServeError {
  const where = formatIndexPath(path);
  if (Array.isArray(value)) {
    return new ServeError(
      'invalid_argument',
      `ragged array: ${where} is ${kindOf(value)}, and the entries before it are single values`,
      { details: { path: where } },
    );
  }
  return new ServeError(
    'invalid_argument',
    `${where} is ${kindOf(value)}, expected ${DTYPES[dtype].expects} for dtype ${dtype}`,
    { details: { path: where, dtype } },
  );
}

function raggedError(
  level: unknown,
  path: readonly number[],
  shape: readonly number[],
  depth: number,
): ServeError {
  const where = formatIndexPath(path);
  return new ServeError(
    'invalid_argument',
    `ragged array: ${where} is ${kindOf(level)}, expected an array of ${shape[depth]}, as its neighbours are`,
    { details: { path: where } },
  );
}
