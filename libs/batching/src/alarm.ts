import type { DispatcherClock } from './clock.js';

/** One timer that can be set again and again; unset, it holds nothing. */
export class Alarm {
  readonly #clock: DispatcherClock;
  readonly #fn: () => void;
  #at = Infinity;
  #cancel: (() => void) | undefined;

  constructor(clock: DispatcherClock, fn: () => void) {
    this.#clock = clock;
    this.#fn = fn;
  }

  /** When it rings; Infinity while it is not set. */
  get at(): number {
    return this.#at;
  }

  /** Rings at `at` and at no other time; a timer may be a little early. */
  set(at: number): void {
    this.unset();
    this.#at = at;
    this.#cancel = this.#clock.after(Math.max(0, at - this.#clock.now()), () => {
      this.#at = Infinity;
      this.#cancel = undefined;
      this.#fn();
    });
  }

  unset(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#at = Infinity;
  }
}
