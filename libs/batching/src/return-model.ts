/** How the clients that were just answered behave: whether they come straight back, and how fast. */
export interface ReturnHabit {
  /** Share (0–1) of the answered requests that were followed by a new one within the window. */
  readonly share: number;
  /** How long after an answer the last of those arrived, in milliseconds. */
  readonly returnMs: number;
}

/** A batch that was answered, and what arrived since. */
export interface LastAnswers {
  /** When the batch was answered. */
  readonly at: number;
  /** How many requests it answered. */
  readonly answered: number;
  /** How many requests arrived since then, as far as they are not the returns of an earlier batch. */
  readonly arrived: number;
}

/** Weight of the newest batch in the running means. */
const NEWEST = 0.2;

/** Weight that the arrivals so far keep when a batch is answered. They come in gusts: many batches make a rate. */
const RATE_DECAY = 0.95;

/**
 * Returns must take less than this share of the time in which as many requests arrive anyway. Without that, many
 * workers and many independent requests would look like clients that return: so many arrive in every window.
 */
const HASTE = 0.85;

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
 * again when it is answered) show a share near 1; independent arrivals and long think times show a share near 0. With
 * several workers the windows of several batches may be open: an arrival counts for the oldest that misses one.
 */
export class ReturnModel {
  /** Oldest first; all but the newest still within their windows when it was answered. */
  #watches: readonly Watch[] = [];
  #share = 0;
  #returnMs = 0;
  #usualAnswered = 1;
  /** Fading sums: how many requests arrived in how much time. */
  #arrivals = 0;
  #elapsedMs = 0;
  #answeredAt: number | undefined;

  /** A batch of `answered` requests was answered at `now`; arrivals within `windowMs` count as returns. */
  answered(now: number, answered: number, windowMs: number): void {
    const isOpen = (watch: Watch): boolean => isMissing(watch) && now - watch.at <= watch.windowMs;
    this.#usualAnswered += NEWEST * (answered - this.#usualAnswered);
    this.#elapsedMs += now - (this.#answeredAt ?? now);
    this.#answeredAt = now;
    for (const watch of this.#watches) if (!isOpen(watch)) this.#conclude(watch);
    const watch = { at: now, answered, windowMs, arrived: 0, returned: 0, lastReturnMs: 0 };
    this.#watches = [...this.#watches.filter(isOpen), watch];
    this.#arrivals *= RATE_DECAY;
    this.#elapsedMs *= RATE_DECAY;
  }

  /** A request arrived at `now`. */
  arrived(now: number): void {
    this.#arrivals += 1;
    const watch = this.#watches.find((w) => isMissing(w) && now - w.at <= w.windowMs) ?? this.#watches.at(-1);
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

  /** The batches that were answered last, oldest first: the newest, and those before it that were still missing some. */
  get last(): readonly LastAnswers[] {
    return this.#watches;
  }

  #conclude({ answered, returned, windowMs, lastReturnMs }: Watch): void {
    if (windowMs <= 0) return;
    const gapMs = this.#elapsedMs / this.#arrivals;
    const isStraight = lastReturnMs < HASTE * returned * gapMs;
    // A small batch among large ones says little: what comes after it are the returns of others.
    const weight = NEWEST * Math.min(1, answered / this.#usualAnswered);
    this.#share += weight * ((isStraight ? returned / answered : 0) - this.#share);
    if (returned > 0) this.#returnMs += NEWEST * (lastReturnMs - this.#returnMs);
  }
}

function isMissing({ arrived, answered }: LastAnswers): boolean {
  return arrived < answered;
}
