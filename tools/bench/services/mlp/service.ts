import { fileURLToPath } from 'node:url';
import { batchable, createRunner, currentCallContext, json, method, Service, Tensor } from '@bentots/service';
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { createRandom } from '../../src/random.js';
import { ExecutionLog } from '../execution-log.js';
import { INPUTS, MODEL_FILE } from './shape.js';

/** What a client asks for: rows are drawn from the seed here, so that parsing JSON of 1024 numbers is in no figure. */
interface Ask {
  readonly seed: number;
  /** @default 1 */
  readonly rows?: number;
}

/** The generated network on one thread; a batch of 8 costs it about what a single row does. */
class Mlp {
  static readonly methods = {
    infer: batchable({ maxBatchSize: 32 }),
    inferInTime: batchable({ maxBatchSize: 32 }),
    log: method(),
  };
  readonly #log = new ExecutionLog();
  #session: InferenceSession | undefined;

  async init(): Promise<void> {
    this.#session = await InferenceSession.create(fileURLToPath(MODEL_FILE), { intraOpNumThreads: 1 });
  }

  /** Rows [n, 1024] in, probabilities [n, 1000] out. */
  async infer(rows: Tensor<'float32'>): Promise<Tensor<'float32'>> {
    if (this.#session === undefined) throw new Error('infer was called before init');
    const feeds = { rows: new OrtTensor('float32', rows.data, rows.shape) };
    const { probabilities } = await this.#session.run(feeds);
    if (!(probabilities?.data instanceof Float32Array)) throw new Error('the model gave no probabilities');
    return new Tensor('float32', probabilities.data, [...probabilities.dims]);
  }

  /** The same; `deadlines` [n] say when each row's time is over, and what was executed too late is counted. */
  async inferInTime(rows: Tensor<'float32'>, deadlines: Tensor<'float64'>): Promise<Tensor<'float32'>> {
    return this.#log.record(deadlines.data, () => this.infer(rows));
  }

  /** What `inferInTime` has executed so far. */
  log(): Record<string, number> {
    return { ...this.#log.totals };
  }
}

/** One row at a time, by the batcher. */
const single = createRunner(Mlp, { name: 'single', methods: { infer: { maxBatchSize: 1 } } });
/** No batcher at all. */
const off = createRunner(Mlp, { name: 'off', methods: { infer: { batchable: false, concurrency: 1 } } });
/** Up to 32 rows together. */
const batched = createRunner(Mlp, { name: 'batched' });

/** One row after the other beside up to 32 together; each API answers with the likeliest class. */
export const gain = new Service('mlp_gain', { runners: [single, batched] })
  .api('single', { input: json<Ask>(), output: json() }, async (ask) =>
    likeliest(await single.infer.run(draw(ask))),
  )
  .api('batched', { input: json<Ask>(), output: json() }, async (ask) =>
    likeliest(await batched.infer.run(draw(ask))),
  );

/** A model of next to no cost: what is left is the way to it. */
class Light {
  static readonly methods = { infer: batchable({ maxBatchSize: 32 }) };

  infer(rows: Tensor<'float32'>): Tensor<'float32'> {
    return new Tensor(
      'float32',
      rows.data.map((x) => 2 * x),
      rows.shape,
    );
  }
}
const lightOff = createRunner(Light, { name: 'light_off', methods: { infer: { batchable: false } } });
const lightBatched = createRunner(Light, { name: 'light_batched' });

/** Both models with and without the batcher. */
export const lone = new Service('mlp_lone', { runners: [off, batched, lightOff, lightBatched] })
  .api('off', { input: json<Ask>(), output: json() }, async (ask) =>
    likeliest(await off.infer.run(draw(ask))),
  )
  .api('batched', { input: json<Ask>(), output: json() }, async (ask) =>
    likeliest(await batched.infer.run(draw(ask))),
  )
  .api('light_off', { input: json<Ask>(), output: json() }, async ({ seed }) => ({
    doubled: Array.from(
      (await lightOff.infer.run(new Tensor('float32', Float32Array.of(seed), [1, 1]))).data,
    ),
  }))
  .api('light_batched', { input: json<Ask>(), output: json() }, async ({ seed }) => ({
    doubled: Array.from(
      (await lightBatched.infer.run(new Tensor('float32', Float32Array.of(seed), [1, 1]))).data,
    ),
  }));

/** Tells what was executed for nobody. */
export const overload = new Service('mlp_overload', { runners: [batched] })
  .api('run', { input: json<Ask>(), output: json() }, async (ask) => {
    const rows = draw(ask);
    const [count = 1] = rows.shape;
    const deadline = currentCallContext()?.deadline ?? Infinity;
    const deadlines = new Tensor('float64', new Float64Array(count).fill(deadline), [count]);
    return likeliest(await batched.inferInTime.run(rows, deadlines));
  })
  .api('log', { input: json(), output: json() }, () => batched.log.run());

const drawn = new Map<string, Tensor<'float32'>>();

/** The rows of a seed, drawn when it is first asked for: what the API does is in no figure either. */
function draw({ seed, rows = 1 }: Ask): Tensor<'float32'> {
  const key = `${seed} ${rows}`;
  const known = drawn.get(key);
  if (known !== undefined) return known;
  const random = createRandom(seed);
  const data = new Float32Array(rows * INPUTS).map(() => 2 * random() - 1);
  const tensor = new Tensor('float32', data, [rows, INPUTS]);
  drawn.set(key, tensor);
  return tensor;
}

/** The class of the largest probability of the first row. */
function likeliest(probabilities: Tensor<'float32'>): { readonly label: number } {
  const row = probabilities.data.subarray(0, probabilities.shape[1]);
  return { label: row.indexOf(Math.max(...row)) };
}
