import type { WorkerProcess } from './process/worker-process.js';

/** A spare is started so long after its worker got ready: what is being replaced right now comes first. */
const SPARE_DELAY_MS = 200;

/** The place beside a worker where a process waits to be its next one; empty until it is asked to be kept. */
export class SpareSeat<P extends { drain(graceMs: number): void } = WorkerProcess> {
  #waiting: P | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly create: () => P) {}

  /** Has a spare started, unless one is there. */
  keep(): void {
    clearTimeout(this.#timer);
    if (this.#waiting === undefined) this.#timer = setTimeout(() => this.#fill(), SPARE_DELAY_MS);
  }

  /** Gives the spare away if `employ` has a use for it; if not, it is ended. */
  take(employ: (spare: P) => boolean): P | undefined {
    this.clear();
    const spare = this.#waiting;
    this.#waiting = undefined;
    if (spare === undefined || employ(spare)) return spare;
    spare.drain(0);
    return undefined;
  }

  /** The process is gone. */
  forget(process: P): void {
    if (process === this.#waiting) this.#waiting = undefined;
  }

  /** None is started any more. */
  clear(): void {
    clearTimeout(this.#timer);
  }

  #fill(): void {
    this.#waiting ??= this.create();
  }
}
