/** How the clients that were just answered behave: whether they come straight back, and how fast. */
export interface ReturnHabit {
  /** Share (0–1) of the answered requests that were followed by a new one within the window. */
  readonly share: number;
  /** How long after an answer the last of those arrived, in milliseconds. */
  readonly returnMs: number;
}

/** The answers that were given last, and what arrived since. */
export interface LastAnswers {
  /** When the batch was answered. */
  readonly at: number;
  /** How many requests it answered. */
  readonly answered: number;
  /** How many requests arrived since then. */
  readonly arrived: number;
}

/** Weight of the newest batch in the running means. */
const NEWEST = 0.2;

interface Watch {
  readonly at: number;
  readonly answered: number;
  readonly windowMs: number;
  arrived: number;
  returned: number;
  lastReturnMs: number;
}

/**
 * Watches, after each answered batch, how many requests arrive within a short window. Closed-loop clients (each sends
 * again when it is answered) show a share near 1; independent arrivals and long think times show a share near 0.
 */
export class ReturnModel {
  #watch: Watch | undefined;
  #share = 0;
  #returnMs = 0;

  /** A batch of `answered` requests was answered at `now`; arrivals within `windowMs` count as returns. */
  answered(now: number, answered: number, windowMs: number): void {
    this.#conclude();
    this.#watch = { at: now, answered, windowMs, arrived: 0, returned: 0, lastReturnMs: 0 };
  }

  /** A request arrived at `now`. */
  arrived(now: number): void {
    const watch = this.#watch;
    if (watch === undefined) return;
    watch.arrived += 1;
    if (now - watch.at > watch.windowMs || watch.returned === watch.answered) return;
    watch.returned += 1;
    watch.lastReturnMs = now - watch.at;
  }

  /** What was learned so far; a share of 0 before anything was. */
  get habit(): ReturnHabit {
    return { share: this.#share, returnMs: this.#returnMs };
  }

  /** The batch that was answered last, if any. */
  get last(): LastAnswers | undefined {
    return this.#watch;
  }

  #conclude(): void {
    const watch = this.#watch;
    if (watch === undefined || watch.windowMs <= 0) return;
    this.#share += NEWEST * (watch.returned / watch.answered - this.#share);
    if (watch.returned > 0) this.#returnMs += NEWEST * (watch.lastReturnMs - this.#returnMs);
  }
}
