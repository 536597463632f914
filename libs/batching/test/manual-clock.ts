import type { DispatcherClock } from '../src/clock.js';

interface Timer {
  readonly at: number;
  readonly fn: () => void;
}

/** A clock that stands still until it is told to move. */
export class ManualClock implements DispatcherClock {
  #now = 0;
  readonly #timers = new Set<Timer>();

  now(): number {
    return this.#now;
  }

  epochNow(): number {
    return this.#now;
  }

  after(delayMs: number, fn: () => void): () => void {
    const timer = { at: this.#now + delayMs, fn };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  defer(fn: () => void): void {
    process.nextTick(() => setImmediate(fn));
  }

  /** Timers that somebody still waits for. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Moves on by `ms`, ringing timers in order; between them everything that is ready happens. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      await settled();
      const [next] = [...this.#timers].sort((a, b) => a.at - b.at);
      if (next === undefined || next.at > end) break;
      this.#now = Math.max(this.#now, next.at);
      this.#timers.delete(next);
      next.fn();
    }
    this.#now = end;
    await settled();
  }
}

/** Everything that does not wait for time or a gate has happened: promise callbacks, deferred steps. */
export async function settled(): Promise<void> {
  for (const _turn of [1, 2, 3, 4]) await new Promise((resolve) => setImmediate(resolve));
}
