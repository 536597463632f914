import { Dispatcher } from '../src/dispatcher.js';
import type { DispatcherOptions, SubmitOptions } from '../src/dispatcher-options.js';
import { ManualClock, settled } from './manual-clock.js';

/** A request for tests: its rows are its numbers. */
export type Rows = readonly number[];

/** One execution that waits at its gate. */
export interface GatedBatch<W = undefined> {
  readonly worker: W;
  readonly items: readonly Rows[];
  readonly signal: AbortSignal;
  /** It was let through, or has thrown. */
  isDone: boolean;
  /** Answers every item with itself times ten, or with `outputs`. */
  open(outputs?: readonly Rows[]): Promise<void>;
  throw(error: unknown): Promise<void>;
}

/** A dispatcher whose batches wait until the test lets them through, on a clock that the test moves. */
export class GatedDispatcher<W = undefined> {
  readonly clock = new ManualClock();
  /** All executions so far, in order. */
  readonly batches: GatedBatch<W>[] = [];
  readonly dispatcher: Dispatcher<Rows, Rows, W>;

  constructor(options: Partial<DispatcherOptions<Rows, Rows, W>> = {}) {
    this.dispatcher = new Dispatcher({
      name: 'x.y',
      maxBatchSize: 4,
      maxLatencyMs: 1000,
      clock: this.clock,
      rowsOf: (item) => item.length,
      execute: (items, signal, worker) => this.#execute(items, signal, worker),
      split: chunk,
      join: (parts) => parts.flat(),
      ...options,
    });
  }

  /** Submits a request and answers with its output alone. */
  submit(item: Rows, options?: SubmitOptions): Promise<Rows> {
    return this.dispatcher.submit(item, options).then(({ output }) => output);
  }

  /** The batch that was started last; fails when there is none. */
  get last(): GatedBatch<W> {
    const batch = this.batches.at(-1);
    if (batch === undefined) throw new Error('no batch was executed yet');
    return batch;
  }

  /** The batches that wait at their gates, oldest first. */
  get waiting(): readonly GatedBatch<W>[] {
    return this.batches.filter(({ isDone }) => !isDone);
  }

  /** Batch number `index`; fails when it was not executed yet. */
  at(index: number): GatedBatch<W> {
    const batch = this.batches[index];
    if (batch === undefined) throw new Error(`only ${this.batches.length} batches were executed yet`);
    return batch;
  }

  /** What each batch so far was made of. */
  get seen(): readonly (readonly Rows[])[] {
    return this.batches.map((batch) => batch.items);
  }

  #execute(items: readonly Rows[], signal: AbortSignal, worker: W): Promise<readonly Rows[]> {
    return new Promise((resolve, reject) => {
      const batch: GatedBatch<W> = {
        items,
        signal,
        worker,
        isDone: false,
        open: (outputs = items.map((item) => item.map((n) => n * 10))) => {
          batch.isDone = true;
          resolve(outputs);
          return settled();
        },
        throw: (error) => {
          batch.isDone = true;
          reject(error);
          return settled();
        },
      };
      this.batches.push(batch);
    });
  }
}

export function chunk(item: Rows, maxRows: number): readonly Rows[] {
  const count = Math.ceil(item.length / maxRows);
  return Array.from({ length: count }, (_, i) => item.slice(i * maxRows, (i + 1) * maxRows));
}

/** The code of the ServeError that `promise` rejects with. */
export async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => 'resolved',
    (error: { code?: unknown }) => error.code ?? error,
  );
}
