import { batchable, createRunner, currentCallContext, json, method, Service, Tensor } from '@bentots/service';
import { ExecutionLog } from '../execution-log.js';
import { COST } from './cost.js';
import { takeTime } from '../take-time.js';

/** Computes nothing; each batch of n rows takes a + b·n milliseconds. */
class Timed {
  static readonly methods = { run: batchable({ maxBatchSize: COST.maxBatchSize }), log: method() };
  readonly #log = new ExecutionLog();

  /** Gives back the rows: one number each, when its time is over in milliseconds since the epoch. */
  run(deadlines: Tensor<'float64'>): Promise<Tensor<'float64'>> {
    const tookMs = COST.fixedMs + COST.perRowMs * deadlines.data.length;
    return this.#log.record(deadlines.data, async () => {
      await takeTime(tookMs);
      return deadlines;
    });
  }

  /** What `run` has executed so far. */
  log(): Record<string, number> {
    return { ...this.#log.totals };
  }
}

const timed = createRunner(Timed, { name: 'timed' });

/** A model of known cost. */
export const service = new Service('timed', { runners: [timed] })
  .api('run', { input: json(), output: json() }, async () => {
    const deadline = currentCallContext()?.deadline ?? Infinity;
    await timed.run.run(new Tensor('float64', Float64Array.of(deadline), [1]));
    return { ok: true };
  })
  .api('log', { input: json(), output: json() }, () => timed.log.run());
