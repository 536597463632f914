import type { Priority } from '@bentots/batching';

/** One cell of the table: what a batch costs, and who sends. Times are milliseconds. */
export interface Scenario {
  readonly name: string;
  readonly cost: {
    readonly fixedMs: number;
    readonly perRowMs: number;
    /** Each batch costs this share more or less, uniformly. */ readonly noise: number;
  };
  readonly maxBatchSize: number;
  /** Batches at once. @default 1 */
  readonly workers?: number;
  /** How long each caller waits. @default for ever */
  readonly deadlineMs?: number;
  /** Shares of requests with high and with low priority. @default none */
  readonly priorities?: { readonly high: number; readonly low: number };
  readonly load:
    | {
        readonly kind: 'closed';
        readonly clients: number;
        /** From an answer to the arrival of the same client's next request, uniform within ±50 %. */
        readonly returnMs: number;
        /** So many of them go on after the warm-up, and only what they send then is measured. @default all */
        readonly staying?: number;
      }
    | { readonly kind: 'poisson'; readonly perSecond: number };
  /** Left out of the figures, so that what learns has learned. */
  readonly warmUpMs: number;
  readonly measureMs: number;
  readonly seed: number;
}

/** What became of the requests of one run. Requests count in the period in which they were answered. */
export interface Outcome {
  readonly policy: string;
  readonly scenario: string;
  readonly perSecond: number;
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly meanBatch: number;
  /** Mean number of requests that waited or ran, for checks by Little's law. */
  readonly meanInSystem: number;
  readonly refused: number;
  /** Answers per second that came before their deadline. */
  readonly goodPerSecond: number;
  /** Requests whose execution began after their deadline. */
  readonly executedExpired: number;
  /** How long 99 % of the refused, and the last of them, waited for that; NaN when none was refused. */
  readonly refusedP99Ms: number;
  readonly refusedMaxMs: number;
  /** Mean latency of each priority; NaN where there was none. */
  readonly meanMsBy: Readonly<Record<Priority, number>>;
}

const costs = { heavy: [5, 0.05, 0.3], light: [1, 0.05, 0.2], steep: [20, 2, 0.3] } as const;

/** All cells, closed loops first: a model with a large fixed cost, a light one, and one whose rows cost. */
export function listScenarios(options: { seed: number; measureMs: number }): Scenario[] {
  return Object.entries(costs).flatMap(([model, [fixedMs, perRowMs, returnMs]]) => {
    // A slow model answers few batches in a second: it gets more seconds.
    const stretch = fixedMs + perRowMs * 100 > 50 ? 10 : 1;
    const common = {
      cost: { fixedMs, perRowMs, noise: 0.05 },
      maxBatchSize: 100,
      warmUpMs: 6000 * stretch,
      measureMs: options.measureMs * stretch,
      seed: options.seed,
    };
    const alone = 1000 / (fixedMs + perRowMs);
    const capacity = (1000 * common.maxBatchSize) / (fixedMs + perRowMs * common.maxBatchSize);
    const closed = [1, 4, 16, 64, 128].map((clients) => ({
      ...common,
      name: `${model}: ${clients} closed`,
      load: { kind: 'closed' as const, clients, returnMs },
    }));
    // Open loops: sparse, what one by one could just not do, and shares of what full batches can do.
    const rates = [0.1 * alone, 0.8 * alone, 0.25 * capacity, 0.5 * capacity, 0.8 * capacity];
    const open = rates.map((rate) => {
      const perSecond = Number(rate.toPrecision(2));
      return {
        ...common,
        name: `${model}: ${perSecond}/s Poisson`,
        load: { kind: 'poisson' as const, perSecond },
      };
    });
    return [...closed, ...open];
  });
}
