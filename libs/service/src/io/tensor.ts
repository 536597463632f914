import { ServeError } from '@bentots/errors';
import { type DType, DTYPES, isDType } from '../dtype.js';
import { invalidService } from '../invalid-service.js';
import { kindOf } from '../kind-of.js';
import { flattenNested } from '../nested.js';
import { formatShape, hasDType, Tensor } from '../tensor.js';
import { type Content, type IODescriptor, type JsonSchema, wrongKind } from './descriptor.js';
import { parseJson } from './parse-json.js';
import { stringifyTensor } from './stringify-tensor.js';

const ID = 'bentoml.io.NumpyNdarray';
const KINDS = ['tensor', 'bytes'] as const satisfies Content['kind'][];

/** Options of {@link tensor}. */
export interface TensorOptions<D extends DType> {
  /** What the elements are. @default 'float32' */
  readonly dtype?: D;
  /** Lengths of the dimensions; -1 for any. @default any shape */
  readonly shape?: readonly number[];
  /** Refuse tensors of another dtype instead of converting them; JSON has no dtypes, its values must fit. @default false */
  readonly enforceDtype?: boolean;
  /** Refuse tensors of another shape instead of reshaping those whose size allows it. @default false */
  readonly enforceShape?: boolean;
}

/** A tensor; in HTTP bodies as nested JSON arrays. */
export function tensor<D extends DType = 'float32'>(options: TensorOptions<D> = {}): IODescriptor<Tensor<D>> {
  // Without an option `D` is its default, which the compiler does not see.
  const dtype = options.dtype ?? ('float32' as D);
  const { shape, enforceDtype = false, enforceShape = false } = options;
  checkOptions(dtype, shape);

  const parse = (what: string, bytes: Uint8Array): Tensor<D> => {
    const { data, shape: got } = flattenNested(parseJson(what, bytes), dtype);
    return fitShape(new Tensor(dtype, data, got), shape, enforceShape);
  };
  const fromRaw = (bytes: Uint8Array): Tensor<D> => {
    const size = bytes.byteLength / (DTYPES[dtype].itemBytes || 1);
    if (DTYPES[dtype].itemBytes === 0 || !Number.isInteger(size)) {
      throw new ServeError(
        'invalid_argument',
        `${bytes.byteLength} bytes are no whole number of ${dtype} elements`,
      );
    }
    return fitShape(Tensor.fromBytes(dtype, [size], bytes), shape, shape === undefined);
  };
  const write = (value: unknown): Tensor<D> => {
    if (!(value instanceof Tensor)) {
      const got = kindOf(value);
      throw new ServeError('internal', `the API's output is tensor(), and its function returned ${got}`);
    }
    return options.dtype === undefined ? (value as Tensor<D>) : value.astype(dtype);
  };
  return {
    id: ID,
    contentKinds: KINDS,
    decodeBody: ({ bytes }) => parse('the body', bytes),
    encodeBody: (value) => ({ contentType: 'application/json', bytes: stringifyTensor(write(value)) }),
    fromContent: (content) => {
      if (content.kind === 'tensor') {
        return fitShape(fitDtype(content.tensor, dtype, enforceDtype), shape, enforceShape);
      }
      if (content.kind === 'bytes') return fromRaw(content.bytes);
      throw wrongKind(ID, KINDS, content);
    },
    toContent: (value) => ({ kind: 'tensor', tensor: write(value) }),
    openapi: () => ({ mediaTypes: ['application/json'], schema: arraySchema(dtype, shape) }),
    toSpec: () => ({
      id: ID,
      args: {
        dtype,
        shape: shape ? [...shape] : null,
        enforce_dtype: enforceDtype,
        enforce_shape: enforceShape,
      },
    }),
  };
}

function checkOptions(dtype: unknown, shape: readonly number[] | undefined): void {
  if (!isDType(dtype)) {
    throw invalidService(
      `tensor(): dtype '${String(dtype)}' is unknown; use one of ${Object.keys(DTYPES).join(', ')}`,
    );
  }
  const wrong = shape?.find((length) => !Number.isInteger(length) || length < -1);
  if (wrong !== undefined) {
    throw invalidService(`tensor(): shape has ${wrong}, expected whole numbers from 0 up, or -1 for any`);
  }
}

function fitDtype<D extends DType>(got: Tensor, dtype: D, enforce: boolean): Tensor<D> {
  if (hasDType(got, dtype)) return got;
  if (enforce) {
    throw new ServeError('invalid_argument', `expected a tensor of dtype ${dtype}, got ${got.dtype}`, {
      details: { expected: dtype, got: got.dtype },
    });
  }
  return got.astype(dtype);
}

function fitShape<D extends DType>(
  got: Tensor<D>,
  shape: readonly number[] | undefined,
  enforce: boolean,
): Tensor<D> {
  if (shape === undefined || isShape(got.shape, shape)) return got;
  if (!enforce && canReshape(got.size, shape)) return got.reshape(shape);
  throw new ServeError(
    'invalid_argument',
    `expected a tensor of shape ${formatShape(shape)}, got ${formatShape(got.shape)}`,
    { details: { expected: shape, got: got.shape } },
  );
}

function isShape(got: readonly number[], shape: readonly number[]): boolean {
  return got.length === shape.length && shape.every((length, i) => length === -1 || length === got[i]);
}

function canReshape(size: number, shape: readonly number[]): boolean {
  const known = shape.filter((length) => length !== -1).reduce((product, length) => product * length, 1);
  const open = shape.filter((length) => length === -1).length;
  return open === 0 ? size === known : open === 1 && known > 0 && size % known === 0;
}

/** Nested to the declared rank; without a shape, an array of anything. */
function arraySchema(dtype: DType, shape: readonly number[] | undefined): JsonSchema {
  const item = itemSchema(dtype);
  if (shape === undefined) return { type: 'array', items: {} };
  return shape.reduceRight<JsonSchema>(
    (items, length) => ({
      type: 'array',
      items,
      ...(length !== -1 && { minItems: length, maxItems: length }),
    }),
    item,
  );
}

function itemSchema(dtype: DType): JsonSchema {
  if (dtype === 'string') return { type: 'string' };
  if (dtype === 'bool') return { type: 'boolean' };
  if (dtype === 'float32') return { type: 'number', format: 'float' };
  if (dtype === 'float64') return { type: 'number', format: 'double' };
  return { type: 'integer' };
}
