import type { Beat } from '../ipc.js';

/** The worst queue delays since the last beat, by the watcher whose workers would make them shorter. */
export class LoadMeter {
  readonly #worst = new Map<string, number>();

  /** Takes a figure; one that is none tells nothing. */
  add(watcher: string, queueDelayMs: number): void {
    if (!Number.isFinite(queueDelayMs)) return;
    this.#worst.set(watcher, Math.max(this.#worst.get(watcher) ?? 0, queueDelayMs));
  }

  /** What goes with the beat of a worker of watcher `own`; begins anew. */
  take(own: string): Pick<Beat, 'queueDelayMs' | 'queueDelaysMs'> {
    const queueDelayMs = this.#worst.get(own);
    this.#worst.delete(own);
    const queueDelaysMs = Object.fromEntries(this.#worst);
    const isAlone = this.#worst.size === 0;
    this.#worst.clear();
    return {
      ...(queueDelayMs === undefined ? {} : { queueDelayMs }),
      ...(isAlone ? {} : { queueDelaysMs }),
    };
  }
}
