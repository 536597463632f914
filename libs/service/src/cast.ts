import { ServeError } from '@bentots/errors';
import { type DType, DTYPES, type Scalar, type TensorData } from './dtype.js';

const FLOATS: readonly DType[] = ['float32', 'float64'];

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
  const facts = DTYPES[to];
  const target = facts.allocate(data.length);
  if (to !== 'bool' && isNumbers(data) && isNumbers(target)) {
    target.set(data);
    return target;
  }
  const elements: TensorData = data;
  const scalars: Scalar[] =
    from === 'bool' ? DTYPES[from].row(data, 0, data.length) : Array.from<Scalar>(elements);
  const misfit = facts.fill(scalars.map(converter(to)), target, 0);
  if (misfit !== -1) throw unfit(scalars[misfit], to);
  return target;
}

type NumberArray = Exclude<TensorData, string[] | BigInt64Array | BigUint64Array>;

function isNumbers(data: TensorData): data is NumberArray {
  return ArrayBuffer.isView(data) && !(data instanceof BigInt64Array) && !(data instanceof BigUint64Array);
}

/** Makes one element a plain value that the target dtype accepts. */
function converter(to: DType): (value: Scalar) => Scalar {
  if (to === 'string') return String;
  if (to === 'bool') return (value) => Boolean(typeof value === 'string' ? toNumber(value, to) : value);
  if (to === 'int64') return (value) => BigInt.asIntN(64, toBigInt(value, to));
  if (to === 'uint64') return (value) => BigInt.asUintN(64, toBigInt(value, to));
  if (FLOATS.includes(to)) return (value) => toNumber(value, to);
  // A typed array of one element wraps by the rules of the language.
  const one = DTYPES[to].allocate(1);
  return (value) => {
    if (isNumbers(one)) one[0] = toNumber(value, to);
    return one[0] ?? 0;
  };
}

function toBigInt(value: Scalar, to: DType): bigint {
  if (typeof value === 'bigint') return value;
  // Not by way of a number, which would lose digits.
  if (typeof value === 'string' && /^\s*-?\d+\s*$/.test(value)) return BigInt(value);
  const number = toNumber(value, to);
  if (!Number.isFinite(number)) throw unfit(value, to);
  return BigInt(Math.trunc(number));
}

function toNumber(value: Scalar, to: DType): number {
  if (typeof value !== 'string') return Number(value);
  const number = value.trim() === '' ? Number.NaN : Number(value);
  if (Number.isNaN(number)) throw unfit(value, to);
  return number;
}

function unfit(value: Scalar | undefined, to: DType): ServeError {
  return new ServeError('invalid_argument', `'${String(value)}' is not ${DTYPES[to].expects}`);
}
