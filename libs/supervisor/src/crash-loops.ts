import type { SupervisorEvent } from './events.js';

/** What matters here of a watcher's configuration. */
export interface LoopingWatcher {
  readonly name: string;
  readonly restart: { readonly resetAfterMs: number };
}

/**
 * Which workers crash again and again, learned from the events of a tree. One that gets ready is trusted only when it
 * has stayed so for the time that also wipes its past: readiness must not change its mind at every try.
 */
export class CrashLoops {
  readonly #workers = new Map<string, { readonly watcher: string; timer?: NodeJS.Timeout }>();

  /** `onChange` hears that {@link watchers} is another list now. */
  constructor(
    private readonly configs: readonly LoopingWatcher[],
    private readonly onChange: () => void,
  ) {}

  /** Names of the watchers with such a worker, sorted. */
  get watchers(): readonly string[] {
    return [...new Set([...this.#workers.values()].map(({ watcher }) => watcher))].sort();
  }

  /** Takes the next event. */
  observe(event: SupervisorEvent): void {
    if (event.type === 'crash-loop') {
      const isNew = !this.#workers.has(keyOf(event));
      this.#forgetTimer(keyOf(event));
      this.#workers.set(keyOf(event), { watcher: event.watcher });
      if (isNew) this.onChange();
    } else if (event.type === 'worker-ready') {
      this.#beginTrust(keyOf(event), event.watcher);
    } else if (event.type === 'worker-exited') {
      // Asked to go: the number is not wanted any more, or its next process begins without a past.
      if (event.expected) this.#forget(keyOf(event));
      else this.#forgetTimer(keyOf(event));
    }
  }

  /** Forgets everything, and who waits. */
  close(): void {
    for (const key of this.#workers.keys()) this.#forgetTimer(key);
    this.#workers.clear();
  }

  #beginTrust(key: string, watcher: string): void {
    const worker = this.#workers.get(key);
    if (worker === undefined) return;
    clearTimeout(worker.timer);
    const trustAfterMs = this.configs.find(({ name }) => name === watcher)?.restart.resetAfterMs;
    worker.timer = setTimeout(() => this.#forget(key), trustAfterMs).unref();
  }

  #forgetTimer(key: string): void {
    const worker = this.#workers.get(key);
    clearTimeout(worker?.timer);
  }

  #forget(key: string): void {
    this.#forgetTimer(key);
    if (this.#workers.delete(key)) this.onChange();
  }
}

function keyOf({ watcher, workerId }: { readonly watcher: string; readonly workerId: number }): string {
  return `${watcher} ${workerId}`;
}
