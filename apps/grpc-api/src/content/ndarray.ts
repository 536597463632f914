import { ServeError } from '@bentots/errors';
import { type DType, Tensor, type TensorData } from '@bentots/service';
import { NDArray_DType as Wire, type NDArray } from '../wire/bentoml/grpc/v1/service.gen.js';

/** The lists of values of an NDArray, by field name; one of them holds the values. */
type Lists = Omit<NDArray, 'dtype' | 'shape'>;
type Field = keyof Lists;

/** One dtype of the wire: its list, and the tensor that its values make. */
interface WireType {
  readonly name: string;
  readonly field: Field;
  tensor(lists: Lists, shape: readonly number[]): Tensor;
}

const WIRE_TYPES: ReadonlyMap<number, WireType> = new Map([
  [
    Wire.DTYPE_FLOAT,
    type('FLOAT', 'floatValues', (m, s) => new Tensor('float32', new Float32Array(m.floatValues), s)),
  ],
  [
    Wire.DTYPE_DOUBLE,
    type('DOUBLE', 'doubleValues', (m, s) => new Tensor('float64', new Float64Array(m.doubleValues), s)),
  ],
  [
    Wire.DTYPE_BOOL,
    type('BOOL', 'boolValues', (m, s) => new Tensor('bool', Uint8Array.from(m.boolValues, Number), s)),
  ],
  [
    Wire.DTYPE_INT32,
    type('INT32', 'int32Values', (m, s) => new Tensor('int32', new Int32Array(m.int32Values), s)),
  ],
  [
    Wire.DTYPE_INT64,
    type('INT64', 'int64Values', (m, s) => new Tensor('int64', new BigInt64Array(m.int64Values), s)),
  ],
  [
    Wire.DTYPE_UINT32,
    type('UINT32', 'uint32Values', (m, s) => new Tensor('uint32', new Uint32Array(m.uint32Values), s)),
  ],
  [
    Wire.DTYPE_UINT64,
    type('UINT64', 'uint64Values', (m, s) => new Tensor('uint64', new BigUint64Array(m.uint64Values), s)),
  ],
  [Wire.DTYPE_STRING, type('STRING', 'stringValues', (m, s) => new Tensor('string', m.stringValues, s))],
]);

/**
 * The tensor that an NDArray says. Without a dtype, the one list that has values tells it; without a shape, it has one
 * dimension. An unknown dtype, values in another list than the dtype's and a shape that does not fit are
 * `invalid_argument`.
 */
export function tensorFromNdarray(message: NDArray): Tensor {
  const filled = [...WIRE_TYPES.values()].filter(({ field }) => message[field].length > 0);
  const wireType = message.dtype === Wire.DTYPE_UNSPECIFIED ? onlyOne(filled) : WIRE_TYPES.get(message.dtype);
  if (wireType === undefined) throw unknownDtype(message.dtype);
  const stray = filled.find(({ field }) => field !== wireType.field);
  if (stray !== undefined) {
    const { name, field } = wireType;
    throw invalid(
      `ndarray of dtype ${name} has values in ${snakeCase(stray.field)}; put them in ${snakeCase(field)}`,
    );
  }
  const shape = message.shape.length === 0 ? [message[wireType.field].length] : message.shape;
  return wireType.tensor(message, shape);
}

/** The NDArray that says a tensor; dtypes that the wire lacks (8 and 16 bits) are widened to 32 bits of their kind. */
export function ndarrayFromTensor(tensor: Tensor): NDArray {
  return { ...NO_VALUES, ...listOf(tensor.dtype, tensor.data), shape: [...tensor.shape] };
}

const NO_VALUES: Lists = {
  floatValues: [],
  doubleValues: [],
  stringValues: [],
  boolValues: [],
  int32Values: [],
  int64Values: [],
  uint32Values: [],
  uint64Values: [],
};

function listOf(dtype: DType, data: TensorData): Partial<Lists> & Pick<NDArray, 'dtype'> {
  switch (dtype) {
    case 'float32':
      return { dtype: Wire.DTYPE_FLOAT, floatValues: numbers(data) };
    case 'float64':
      return { dtype: Wire.DTYPE_DOUBLE, doubleValues: numbers(data) };
    case 'bool':
      return { dtype: Wire.DTYPE_BOOL, boolValues: Array.from<unknown, boolean>(data, Boolean) };
    case 'int8':
    case 'int16':
    case 'int32':
      return { dtype: Wire.DTYPE_INT32, int32Values: numbers(data) };
    case 'uint8':
    case 'uint16':
    case 'uint32':
      return { dtype: Wire.DTYPE_UINT32, uint32Values: numbers(data) };
    case 'int64':
      return { dtype: Wire.DTYPE_INT64, int64Values: bigints(data) };
    case 'uint64':
      return { dtype: Wire.DTYPE_UINT64, uint64Values: bigints(data) };
    case 'string':
      return { dtype: Wire.DTYPE_STRING, stringValues: Array.from<unknown, string>(data, String) };
  }
}

function numbers(data: TensorData): number[] {
  return Array.from<number | bigint | string, number>(data, Number);
}

function bigints(data: TensorData): bigint[] {
  return Array.from<number | bigint | string, bigint>(data, BigInt);
}

function type(name: string, field: Field, tensor: WireType['tensor']): WireType {
  return { name: `DTYPE_${name}`, field, tensor };
}

function onlyOne(filled: readonly WireType[]): WireType {
  const [first, second] = filled;
  if (first === undefined) throw invalid('ndarray has neither a dtype nor values; set dtype');
  if (second === undefined) return first;
  const lists = filled.map(({ field }) => snakeCase(field)).join(' and ');
  throw invalid(`ndarray has no dtype and values in ${lists}; set dtype, and the values in one list`);
}

function unknownDtype(dtype: number): ServeError {
  const known = [...WIRE_TYPES].map(([value, { name }]) => `${name} (${value})`).join(', ');
  return invalid(`ndarray has the unknown dtype ${dtype}; it may be ${known}`);
}

function snakeCase(field: Field): string {
  return field.replace('Values', '_values');
}

function invalid(message: string): ServeError {
  return new ServeError('invalid_argument', message);
}
