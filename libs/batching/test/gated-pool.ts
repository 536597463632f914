import type { WorkerPool } from '../src/worker-pool.js';

/** Workers by number, handed out lowest first; a test adds and removes them. */
export class NumberedPool implements WorkerPool<number> {
  readonly #workers: Set<number>;
  readonly #taken = new Set<number>();

  constructor(size: number) {
    this.#workers = new Set(Array.from({ length: size }, (_, i) => i));
  }

  get size(): number {
    return this.#workers.size;
  }

  get free(): number {
    return [...this.#workers].filter((worker) => !this.#taken.has(worker)).length;
  }

  take(): number | undefined {
    const worker = [...this.#workers].find((candidate) => !this.#taken.has(candidate));
    if (worker !== undefined) this.#taken.add(worker);
    return worker;
  }

  release(worker: number): void {
    if (!this.#taken.delete(worker)) throw new Error(`worker ${worker} was released twice`);
  }

  add(worker: number): void {
    this.#workers.add(worker);
  }

  remove(worker: number): void {
    this.#workers.delete(worker);
  }
}

/** What a worker says of a batch: it never began, or it died with it. */
export class WorkerError extends Error {
  constructor(readonly verdict: 'not_started' | 'lost') {
    super(verdict);
  }
}

/** The verdict of a {@link WorkerError}; all else is the method's own failure. */
export function verdictOn(error: unknown): 'failed' | 'not_started' | 'lost' {
  return error instanceof WorkerError ? error.verdict : 'failed';
}
