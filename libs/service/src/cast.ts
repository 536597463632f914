import { ServeError } from '@bentots/errors';
import { type DType, DTYPES, type Scalar, type TensorData } from './dtype.js';

const IS_BIG = new Set<DType>(['int64', 'uint64']);
const IS_FLOAT = new Set<DType>(['float32', 'float64']);

/**
 * Elements of one dtype as another, as typed arrays convert them: fractions are cut off, integers wrap around,
 * non-zero is true. Always a new array.
 *
 * @throws ServeError `invalid_argument` for a string that is no number, or NaN and Infinity as a 64-bit integer.
 */
export function castData<D extends DType, E extends DType>(
  from: D,
  data: TensorData<D>,
  to: E,
): TensorData<E> {
  const target = DTYPES[to].allocate(data.length);
  const convert = converter(to);
  const row = DTYPES[from].row(data, 0, data.length);
  const misfit = DTYPES[to].fill(row.map(convert), target, 0);
  if (misfit !== -1) throw unfit(row[misfit], to);
  return target;
}

/** One element as a plain value that the target dtype accepts. */
function converter(to: DType): (value: Scalar) => Scalar {
  if (to === 'string') return String;
  if (to === 'bool')
    return (value) => (typeof value === 'string' ? toNumber(value, to) !== 0 : Boolean(value));
  if (IS_FLOAT.has(to)) return (value) => toNumber(value, to);
  if (IS_BIG.has(to)) return (value) => wrapBig(toBig(value, to), to);
  const one = DTYPES[to].allocate(1);
  // A typed array of one element does the wrapping, by the rules of the language.
  return (value) => {
    if (ArrayBuffer.isView(one) && !(one instanceof BigInt64Array) && !(one instanceof BigUint64Array)) {
      one[0] = toNumber(value, to);
    }
    return Number(one[0]);
  };
}

function wrapBig(value: bigint, to: DType): bigint {
  return to === 'int64' ? BigInt.asIntN(64, value) : BigInt.asUintN(64, value);
}

function toBig(value: Scalar, to: DType): bigint {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'string' && /^\s*[-+]?\d+\s*$/.test(value)) return BigInt(value.replace('+', ''));
  const number = toNumber(value, to);
  if (!Number.isFinite(number)) throw unfit(value, to);
  return BigInt(Math.trunc(number));
}

function toNumber(value: Scalar, to: DType): number {
  if (typeof value !== 'string') return Number(value);
  const number = value.trim() === '' ? Number.NaN : Number(value);
  if (Number.isNaN(number) && value.trim().toLowerCase() !== 'nan') throw unfit(value, to);
  return number;
}

function unfit(value: Scalar | undefined, to: DType): ServeError {
  return new ServeError('invalid_argument', `${JSON.stringify(String(value))} is not ${DTYPES[to].expects}`);
}
