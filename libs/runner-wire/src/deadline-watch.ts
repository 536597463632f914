/** The longest a Node timer can wait. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * One timer for the deadlines of many calls. A timer each would cost more than the calls: most end long before.
 */
export class DeadlineWatch {
  readonly #expire: (now: number) => number;
  #timer: NodeJS.Timeout | undefined;
  #wakesAt = Infinity;

  /** `expire` ends what is over at `now` (epoch ms) and returns the next deadline, `Infinity` for none. */
  constructor(expire: (now: number) => number) {
    this.#expire = expire;
  }

  /** Makes sure that `expire` is called soon after `deadline` (epoch ms). */
  add(deadline: number): void {
    if (deadline < this.#wakesAt) this.#wakeAt(deadline);
  }

  /** Calls nothing any more. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#wakesAt = -Infinity;
  }

  #wakeAt(deadline: number): void {
    clearTimeout(this.#timer);
    this.#wakesAt = deadline;
    if (deadline === Infinity) return;
    const delay = Math.min(Math.max(deadline - Date.now(), 1), MAX_TIMER_MS);
    this.#timer = setTimeout(() => this.#wakeAt(this.#expire(Date.now())), delay);
    this.#timer.unref();
  }
}
