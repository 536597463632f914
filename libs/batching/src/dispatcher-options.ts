import { ServeError } from '@bentots/errors';
import { type DispatcherClock, systemClock } from './clock.js';

/** What one executed batch was, for metrics. */
export interface BatchFacts {
  readonly rows: number;
  /** Requests that had rows in it. */
  readonly requests: number;
  /** How long the oldest of them waited in the queue. */
  readonly waitMs: number;
  readonly executeMs: number;
}

/** How a {@link Dispatcher} counts, cuts, joins and executes what it is given. */
export interface DispatcherOptions<I, O> {
  /** Names the method in errors: `classifier.classify`. */
  readonly name: string;
  /** Rows that one execution takes at most; a larger request is split. */
  readonly maxBatchSize: number;
  /** A request that waited this long is refused as `overloaded` instead of being executed late. */
  readonly maxLatencyMs: number;
  /** Rows of a request; an empty one counts as one row. */
  rowsOf(item: I): number;
  /** Only requests of one kind are executed together: shape and type of a row, say. @default all are of one kind */
  kindOf?(item: I): string;
  /** Executes several requests as one batch: one output per item, in order. The signal aborts when nobody waits any more. */
  execute(items: readonly I[], signal: AbortSignal): Promise<readonly O[]>;
  /** Cuts a request into pieces of at most `maxRows` rows, in order. Absent: a larger request is refused. */
  split?(item: I, maxRows: number): readonly I[];
  /** Joins the outputs of the pieces, in order; comes with {@link split}. */
  join?(parts: readonly O[]): O;
  /** Rows that may wait. @default 10_000 */
  readonly maxQueueRows?: number;
  /** @default the time of this process */
  readonly clock?: DispatcherClock;
  /** Told about each batch after it was executed. */
  onBatch?(facts: BatchFacts): void;
}

/** What one request brings besides its item. */
export interface SubmitOptions {
  /** Aborting takes the request out of the queue, or drops its answer. */
  readonly signal?: AbortSignal;
  /** Epoch milliseconds after which nobody waits. */
  readonly deadline?: number;
}

/** {@link DispatcherOptions}, checked and filled. */
export interface DispatcherConfig<I, O> {
  readonly name: string;
  readonly maxBatchSize: number;
  readonly maxLatencyMs: number;
  readonly maxQueueRows: number;
  readonly clock: DispatcherClock;
  rowsOf(item: I): number;
  kindOf(item: I): string;
  execute(items: readonly I[], signal: AbortSignal): Promise<readonly O[]>;
  /** The request in pieces that fit, or a refusal. */
  cut(item: I): readonly I[];
  join(parts: readonly O[]): O;
  onBatch(facts: BatchFacts): void;
}

/** Checks the numbers and fills what was left out. */
export function compileDispatcherOptions<I, O>(o: DispatcherOptions<I, O>): DispatcherConfig<I, O> {
  const { name, maxBatchSize, maxLatencyMs, maxQueueRows = 10_000, clock = systemClock } = o;
  for (const [option, value] of Object.entries({ maxBatchSize, maxLatencyMs, maxQueueRows })) {
    const ok = option === 'maxLatencyMs' ? value > 0 : Number.isInteger(value) && value >= 1;
    if (!ok)
      throw new ServeError('invalid_option', `${option} of '${name}' is ${value}; at least 1 is expected`);
  }
  if ((o.split === undefined) !== (o.join === undefined)) {
    throw new ServeError('invalid_option', `split and join of '${name}' come together; only one was given`);
  }
  // What cannot be counted is empty to the queue; the method itself will say what is wrong with it.
  const rowsOf = (item: I): number => Math.max(1, o.rowsOf(item));
  return {
    name,
    maxBatchSize,
    maxLatencyMs,
    maxQueueRows,
    clock,
    rowsOf,
    kindOf: (item) => o.kindOf?.(item) ?? '',
    execute: (items, signal) => o.execute(items, signal),
    cut(item) {
      const rows = rowsOf(item);
      if (rows <= maxBatchSize) return [item];
      const pieces = o.split?.(item, maxBatchSize) ?? [];
      if (pieces.length > 0 && pieces.every((piece) => rowsOf(piece) <= maxBatchSize)) return pieces;
      throw new ServeError(
        'invalid_argument',
        `a request of ${rows} rows is over the ${maxBatchSize} that '${name}' takes at once, and cannot be split`,
        { details: { rows, maxBatchSize } },
      );
    },
    join(parts) {
      if (o.join === undefined) throw new ServeError('internal', `'${name}' has parts to join and no join`);
      return o.join(parts);
    },
    onBatch: (facts) => o.onBatch?.(facts),
  };
}
