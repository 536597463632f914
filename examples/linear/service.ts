import { setTimeout as sleep } from 'node:timers/promises';
import { ServeError } from '@bentots/errors';
import {
  batchable,
  createRunner,
  currentCallContext,
  json,
  type JsonValue,
  method,
  Service,
  Tensor,
  tensor,
  text,
} from '@bentots/service';

/** Row i, column j: `[a, b, c, d] · W` is `[a, 2b, 3c, a + b + c + 4d]`. */
const W = [
  [1, 0, 0, 1],
  [0, 2, 0, 1],
  [0, 0, 3, 1],
  [0, 0, 0, 4],
].flat();
const SIZE = 4;

class MatMul {
  static readonly methods = {
    predict: batchable({ maxBatchSize: 100, idempotent: true }),
    echo: method({ idempotent: true }),
    slow: method(),
    fail: method(),
  };

  /** Rows of 4 in, rows of 4 out. */
  predict(rows: Tensor<'float32'>): Tensor<'float32'> {
    const x = rows.data;
    const y = new Float32Array(x.length);
    for (let row = 0; row < x.length; row += SIZE) {
      for (let i = 0; i < SIZE; i++) {
        const factor = x[row + i] ?? 0;
        for (let j = 0; j < SIZE; j++) y[row + j] = (y[row + j] ?? 0) + factor * (W[i * SIZE + j] ?? 0);
      }
    }
    return new Tensor('float32', y, rows.shape);
  }

  echo(value: JsonValue): JsonValue {
    return value;
  }

  /** Takes `seconds`: asleep, and awake at once when the caller gives up, or busy, so that nothing else runs. */
  async slow(seconds: number, busy: boolean): Promise<number> {
    if (!busy) return sleep(seconds * 1000, seconds, { signal: currentCallContext()?.signal });
    const end = performance.now() + seconds * 1000;
    while (performance.now() < end);
    return seconds;
  }

  fail(): JsonValue {
    throw new RangeError('matmul was asked to fail');
  }
}

const matmul = createRunner(MatMul, { name: 'matmul' });

export const svc = new Service('linear', { runners: [matmul] })
  .api('hello', { input: json(), output: json() }, () => ({ ok: true }))
  .api('predict', { input: json({ example: [1, 2, 3, 4] }), output: json() }, async (input) => {
    const result = await matmul.predict.run(
      new Tensor('float32', Float32Array.from(parseRow(input)), [1, SIZE]),
    );
    return { result: Array.from(result.data) };
  })
  .api('predict_nd', { input: tensor({ shape: [-1, SIZE] }), output: tensor() }, (rows) =>
    matmul.predict.run(rows),
  )
  .api('echo', { input: json(), output: json() }, (value) => matmul.echo.run(value))
  .api(
    'slow',
    { input: json<{ s: number; busy?: boolean }>({ example: { s: 0.2 } }), output: json() },
    async ({ s, busy = false }) => ({ s: await matmul.slow.run(s, busy) }),
  )
  .api('fail', { input: json(), output: json() }, () => matmul.fail.run())
  .api('upper', { input: text(), output: text() }, (words) => words.toUpperCase());

/** `[a, b, c, d]` or `{ data: [a, b, c, d] }`. */
function parseRow(input: JsonValue): number[] {
  const row = typeof input === 'object' && input !== null && 'data' in input ? input.data : input;
  const numbers = Array.isArray(row) ? row.filter((value) => typeof value === 'number') : [];
  if (Array.isArray(row) && row.length === SIZE && numbers.length === SIZE) return numbers;
  throw new ServeError('invalid_argument', `expected ${SIZE} numbers, as [a,b,c,d] or {"data":[a,b,c,d]}`);
}
