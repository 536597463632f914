import { checkPositive, checkWholeNumber } from './invalid-service.js';

/** How one method of a runnable may be called; made by {@link method} and {@link batchable}. */
export interface MethodSpec {
  /** Whether calls may be joined: arguments and result then are batches. */
  readonly batchable: boolean;
  /** The dimension along which tensor arguments are joined. */
  readonly inputBatchDim: number;
  /** The dimension along which a tensor result is cut apart again. */
  readonly outputBatchDim: number;
  /** Most rows that run together. */
  readonly maxBatchSize: number;
  /** Longest time that a call may wait to be joined, in milliseconds. */
  readonly maxLatencyMs: number;
  /** Whether running a call twice does no harm, so that it may be repeated after a broken connection. */
  readonly idempotent: boolean;
  /** Calls, or batches, that one worker runs at once; undefined: what suits the kind of function. */
  readonly concurrency?: number | undefined;
}

/** Options of {@link method}. */
export interface MethodOptions {
  /** @default false */
  readonly idempotent?: boolean;
  /**
   * Calls, or batches, of this method that one worker runs at once. A plain function counts as one that computes: its
   * worker is given nothing else meanwhile. One that returns a promise is better declared `async`, or given a number.
   * @default 1 for plain functions and for batchable methods, 1024 for `async` ones
   */
  readonly concurrency?: number;
}

/** Options of {@link batchable}. */
export interface BatchableOptions extends MethodOptions {
  /** One dimension for arguments and result, or one for each. @default 0 */
  readonly batchDim?: number | readonly [input: number, output: number];
  /** Most rows that run together. @default 100 */
  readonly maxBatchSize?: number;
  /** Longest wait to be joined, in milliseconds. @default 60_000 */
  readonly maxLatencyMs?: number;
}

/** A method whose calls run one by one; a stream when it is an `async *` method. */
export function method(options: MethodOptions = {}): MethodSpec {
  return { ...batchable(options), batchable: false };
}

/**
 * A method whose calls run together: its arguments and its result are batches with one row or more a call. A batch is a
 * tensor, an array with one entry per row, or a plain object of such, named: `next({ ids, mask })`. A result that is an
 * array of tensors is several outputs.
 */
export function batchable(options: BatchableOptions = {}): MethodSpec {
  const { batchDim = 0, maxBatchSize = 100, maxLatencyMs = 60_000, idempotent = false } = options;
  const [inputBatchDim, outputBatchDim] = typeof batchDim === 'number' ? [batchDim, batchDim] : batchDim;
  const spec: MethodSpec = {
    batchable: true,
    inputBatchDim,
    outputBatchDim,
    maxBatchSize,
    maxLatencyMs,
    idempotent,
    concurrency: options.concurrency,
  };
  checkMethodSpec('batchable()', spec);
  return Object.freeze(spec);
}

/** Checks the numbers of a spec, which may come from plain JavaScript or from a runner's overrides. */
export function checkMethodSpec(where: string, spec: MethodSpec): void {
  checkWholeNumber(`${where}: the input batch dimension`, spec.inputBatchDim, 0);
  checkWholeNumber(`${where}: the output batch dimension`, spec.outputBatchDim, 0);
  checkWholeNumber(`${where}: maxBatchSize`, spec.maxBatchSize, 1);
  checkPositive(`${where}: maxLatencyMs`, spec.maxLatencyMs);
  if (spec.concurrency !== undefined) checkWholeNumber(`${where}: concurrency`, spec.concurrency, 1);
}
