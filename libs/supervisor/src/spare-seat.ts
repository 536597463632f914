import type { WorkerProcess } from './process/worker-process.js';

/** A spare is started so long after its worker got ready: what is being replaced right now comes first. */
const SPARE_DELAY_MS = 200;

/** So many wait beside a worker, so that the second of two quick replacements does not wait for a spare to load. */
const SPARES = 2;

/** A process that waits to be the next, and whether it has loaded what it can. */
export interface Spare<P> {
  readonly process: P;
  readonly isWarm: boolean;
}

/** The place beside a worker where processes wait to be its next ones; empty until it is asked to be kept. */
export class SpareSeat<P extends { drain(graceMs: number): void } = WorkerProcess> {
  /** The oldest first. */
  #waiting: readonly Spare<P>[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly create: () => P) {}

  /** Those that wait, the next one first. */
  get spares(): readonly Spare<P>[] {
    return this.#waiting;
  }

  /** Has spares started, one after the other, unless enough are there. */
  keep(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#fill(), SPARE_DELAY_MS);
  }

  /** A spare has loaded what it can: time for another one. */
  onWarm(process: P): void {
    if (!this.#waiting.some((spare) => spare.process === process)) return;
    this.#waiting = this.#waiting.map((spare) =>
      spare.process === process ? { process, isWarm: true } : spare,
    );
    this.keep();
  }

  /** Gives away the first spare that `employ` has a use for; those before it are ended. */
  take(employ: (spare: P) => boolean): P | undefined {
    this.clear();
    for (const { process } of this.#waiting) {
      this.forget(process);
      if (employ(process)) return process;
      process.drain(0);
    }
    return undefined;
  }

  /** The process is gone. */
  forget(process: P): void {
    this.#waiting = this.#waiting.filter((spare) => spare.process !== process);
  }

  /** None is started any more. */
  clear(): void {
    clearTimeout(this.#timer);
  }

  #fill(): void {
    const isLoading = this.#waiting.some(({ isWarm }) => !isWarm);
    if (isLoading || this.#waiting.length >= SPARES) return;
    this.#waiting = [...this.#waiting, { process: this.create(), isWarm: false }];
  }
}
