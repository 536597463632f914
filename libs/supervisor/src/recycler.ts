import { recycleReason, type RecycleReason, type Wear } from './recycle.js';

/** A replacement that failed, or that a process over its memory ceiling asks for again, waits so long. */
export const RECYCLE_PAUSE_MS = 15_000;

/** What the recycler sees of a process. */
export interface Wearing extends Wear {
  readonly workerId: number;
}

/** Asks for the replacement of processes that are over a limit, each once. */
export class Recycler<P extends Wearing> {
  /** Until when a process is left alone: it is being replaced, or that failed lately. */
  readonly #pausedUntil = new WeakMap<P, number>();
  /** A ceiling that every process of a worker is over from the start must not make an endless row of them. */
  readonly #lastForMemory = new Map<number, number>();

  /** `replace` resolves when the process was replaced. It rejects, and has told, if that failed. */
  constructor(private readonly replace: (process: P, reason: RecycleReason) => Promise<void>) {}

  /** Looks at the ready processes of a watcher. */
  check(processes: readonly P[], nowMs: number): void {
    for (const process of processes) {
      const reason = recycleReason(process);
      if (reason === undefined || (this.#pausedUntil.get(process) ?? 0) > nowMs) continue;
      if (reason === 'memory') {
        const last = this.#lastForMemory.get(process.workerId) ?? -Infinity;
        if (nowMs - last < RECYCLE_PAUSE_MS) continue;
        this.#lastForMemory.set(process.workerId, nowMs);
      }
      this.#pausedUntil.set(process, Infinity);
      this.replace(process, reason).catch(() =>
        this.#pausedUntil.set(process, performance.now() + RECYCLE_PAUSE_MS),
      );
    }
  }
}
