import { ServeError } from '@bentots/errors';
import { formatIndexPath, indicesOf } from '../nested.js';
import type { Tensor } from '../tensor.js';

/**
 * A tensor as nested JSON arrays. 64-bit integers keep all their digits, which JSON allows and JavaScript numbers
 * would lose.
 *
 * @throws ServeError `internal` naming the path of NaN or Infinity.
 */
export function stringifyTensor(tensor: Tensor): string {
  const { data, shape } = tensor;
  if (data instanceof Float32Array || data instanceof Float64Array) checkFinite(data, shape);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array)
    return nest(data, shape, 0, 0, data.length);
  return JSON.stringify(tensor);
}

function checkFinite(data: Float32Array | Float64Array, shape: readonly number[]): void {
  for (let i = 0; i < data.length; i += 1) {
    if (!Number.isFinite(data[i])) {
      const where = formatIndexPath(indicesOf(i, shape));
      throw new ServeError('internal', `the API's output has ${data[i]} at ${where}, which JSON cannot say`, {
        details: { path: where },
      });
    }
  }
}

function nest(
  data: BigInt64Array | BigUint64Array,
  shape: readonly number[],
  depth: number,
  from: number,
  to: number,
): string {
  const length = shape[depth];
  if (length === undefined) return String(data[from]);
  if (depth === shape.length - 1) return `[${data.subarray(from, to).join(',')}]`;
  const step = length === 0 ? 0 : (to - from) / length;
  const parts = Array.from({ length }, (_, i) =>
    nest(data, shape, depth + 1, from + i * step, from + (i + 1) * step),
  );
  return `[${parts.join(',')}]`;
}
