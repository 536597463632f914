import { ServeError } from '@bentots/errors';
import { type DispatcherClock, systemClock } from './clock.js';
import type { Priority } from './job.js';
import type { ReleaseReason } from './policy.js';
import type { RefusalReason } from './refusals.js';
import type { Verdict } from './run-apart.js';
import { createSoleWorker, type WorkerPool } from './worker-pool.js';

/** What one executed batch was, for metrics. */
export interface BatchFacts<W = undefined> {
  readonly rows: number;
  /** Requests that had rows in it. */
  readonly requests: number;
  /** How long the oldest of them waited in the queue. */
  readonly waitMs: number;
  /** How much of that it was held although a worker was free. */
  readonly holdMs: number;
  readonly executeMs: number;
  /** Why it was released when it was. */
  readonly reason: ReleaseReason;
  /** What it had been expected to take; undefined before anything was known. */
  readonly expectedMs: number | undefined;
  readonly worker: W;
}

/** How a {@link Dispatcher} counts, cuts, joins and executes what it is given. */
export interface DispatcherOptions<I, O, W = undefined> {
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
  /**
   * Executes several requests as one batch on the worker that was taken for it: one output per item, in order. The
   * signal aborts when nobody waits any more.
   */
  execute(items: readonly I[], signal: AbortSignal, worker: W): Promise<readonly O[]>;
  /** Where batches run, one per worker. @default one worker: this process */
  readonly workers?: WorkerPool<W>;
  /**
   * What an error of `execute` means. `failed`: halves of the batch are tried apart. `not_started`: the requests go back
   * to their place in the queue. `lost`: the worker died with them, see {@link retryLost}. @default always `failed`
   */
  verdictOn?(error: unknown): Verdict;
  /**
   * Whether requests that a lost worker had started are run once more, each in a batch of its own, so that one that
   * kills workers takes no other along. @default false: they fail
   */
  readonly retryLost?: boolean;
  /** Cuts a request into pieces of at most `maxRows` rows, in order. Absent: a larger request is refused. */
  split?(item: I, maxRows: number): readonly I[];
  /** Joins the outputs of the pieces, in order; comes with {@link split}. */
  join?(parts: readonly O[]): O;
  /** Rows that may wait. @default 10_000 */
  readonly maxQueueRows?: number;
  /** Size of a request in memory. @default 0 */
  bytesOf?(item: I): number;
  /** Bytes that may wait. @default 1 GiB */
  readonly maxQueueBytes?: number;
  /** @default the time of this process */
  readonly clock?: DispatcherClock;
  /** Told about each batch after it was executed. */
  onBatch?(facts: BatchFacts<W>): void;
  /** Told about rows that will not be executed, and why; not about those whose caller leaves in the middle of a batch. */
  onRefused?(reason: RefusalReason, rows: number): void;
}

/** What one request brings besides its item. */
export interface SubmitOptions {
  /** Aborting takes the request out of the queue, or drops its answer. */
  readonly signal?: AbortSignal;
  /** Epoch milliseconds after which nobody waits. */
  readonly deadline?: number;
  /** All that is `high` goes before what is `normal`, and that before what is `low`. @default 'normal' */
  readonly priority?: Priority;
}

/** {@link DispatcherOptions}, checked and filled. */
export interface DispatcherConfig<I, O, W> {
  readonly name: string;
  readonly maxBatchSize: number;
  readonly maxLatencyMs: number;
  readonly maxQueueRows: number;
  readonly maxQueueBytes: number;
  readonly retryLost: boolean;
  readonly clock: DispatcherClock;
  readonly workers: WorkerPool<W>;
  rowsOf(item: I): number;
  bytesOf(item: I): number;
  kindOf(item: I): string;
  execute(items: readonly I[], signal: AbortSignal, worker: W): Promise<readonly O[]>;
  verdictOn(error: unknown): Verdict;
  /** The request in pieces that fit, or a refusal. */
  cut(item: I): readonly I[];
  join(parts: readonly O[]): O;
  onBatch(facts: BatchFacts<W>): void;
  onRefused(reason: RefusalReason, rows: number): void;
}

/** Checks the numbers and fills what was left out. */
export function compileDispatcherOptions<I, O, W>(o: DispatcherOptions<I, O, W>): DispatcherConfig<I, O, W> {
  const { name, maxBatchSize, maxLatencyMs, maxQueueRows = 10_000, maxQueueBytes = 2 ** 30 } = o;
  checkNumbers(name, { maxBatchSize, maxLatencyMs, maxQueueRows, maxQueueBytes });
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
    maxQueueBytes,
    retryLost: o.retryLost ?? false,
    clock: o.clock ?? systemClock,
    // Without a pool nobody can have named a type of worker: W is undefined there.
    workers: o.workers ?? createSoleWorker(undefined as W),
    rowsOf,
    bytesOf: (item) => o.bytesOf?.(item) ?? 0,
    kindOf: (item) => o.kindOf?.(item) ?? '',
    execute: (items, signal, worker) => o.execute(items, signal, worker),
    verdictOn: (error) => o.verdictOn?.(error) ?? 'failed',
    cut: (item) => cut(o, item, rowsOf(item)),
    join(parts) {
      if (o.join === undefined) throw new ServeError('internal', `'${name}' has parts to join and no join`);
      return o.join(parts);
    },
    onBatch: (facts) => o.onBatch?.(facts),
    onRefused: (reason, rows) => o.onRefused?.(reason, rows),
  };
}

function checkNumbers(name: string, options: Readonly<Record<string, number>>): void {
  for (const [option, value] of Object.entries(options)) {
    const ok = option === 'maxLatencyMs' ? value > 0 : Number.isInteger(value) && value >= 1;
    if (!ok)
      throw new ServeError('invalid_option', `${option} of '${name}' is ${value}; at least 1 is expected`);
  }
}

function cut<I, O, W>(o: DispatcherOptions<I, O, W>, item: I, rows: number): readonly I[] {
  const { name, maxBatchSize } = o;
  if (rows <= maxBatchSize) return [item];
  const pieces = o.split?.(item, maxBatchSize) ?? [];
  if (pieces.length > 0 && pieces.every((piece) => o.rowsOf(piece) <= maxBatchSize)) return pieces;
  throw new ServeError(
    'invalid_argument',
    `a request of ${rows} rows is over the ${maxBatchSize} that '${name}' takes at once, and cannot be split`,
    { details: { rows, maxBatchSize } },
  );
}
