import type { Launch, WorkerProcess } from './process/worker-process.js';

/** A spare is started so long after its worker got ready: what is being replaced right now comes first. */
const SPARE_DELAY_MS = 200;

/** The place beside a worker where a process waits to be its next one; empty until it is asked to be kept. */
export class SpareSeat {
  #waiting: WorkerProcess | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly create: () => WorkerProcess) {}

  /** Has a spare started, unless one is there. */
  keep(): void {
    clearTimeout(this.#timer);
    if (this.#waiting === undefined) this.#timer = setTimeout(() => this.#fill(), SPARE_DELAY_MS);
  }

  /** Gives the spare away, as the worker of `launch`. One that was spawned for something else is ended. */
  take(launch: (generation: number) => Launch): WorkerProcess | undefined {
    this.clear();
    const spare = this.#waiting;
    this.#waiting = undefined;
    if (spare === undefined || spare.employ(launch(spare.generation))) return spare;
    spare.drain(0);
    return undefined;
  }

  /** The process is gone. */
  forget(process: WorkerProcess): void {
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
