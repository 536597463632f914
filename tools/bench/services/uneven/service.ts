import { createRunner, json, method, Service } from '@bentots/service';
import { takeTime } from '../take-time.js';
import { WORK_MS } from './work-ms.js';

/** One call at a time; how long it takes depends on the worker. */
class Work {
  static readonly methods = { work: method({ concurrency: 1 }) };
  readonly #workMs = Number(process.env['BENCH_WORK_MS']);

  /** Tells which worker has worked. */
  async work(): Promise<{ readonly pid: number; readonly workMs: number }> {
    await takeTime(this.#workMs);
    return { pid: process.pid, workMs: this.#workMs };
  }
}

const environments = WORK_MS.map((workMs) => ({ BENCH_WORK_MS: String(workMs) }));
/** One runner of several workers, which the product chooses among. */
const pool = createRunner(Work, { name: 'pool', perWorkerEnv: environments });
/** A runner for each worker, among which the API takes turns. */
const turns = environments.map((env, i) => createRunner(Work, { name: `turn_${i}`, perWorkerEnv: [env] }));
let asked = 0;

/** The same workers twice. */
export const service = new Service('uneven', { runners: [pool, ...turns] })
  .api('pool', { input: json(), output: json() }, () => pool.work.run())
  .api('turns', { input: json(), output: json() }, async () => {
    const runner = turns[asked++ % turns.length] ?? pool;
    return runner.work.run();
  });
