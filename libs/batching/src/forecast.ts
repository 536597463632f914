/** Weight of the newest batch in the running means. */
const NEWEST = 0.1;

/** What one batch with a request that was too late adds to the caution. */
const CAUTION_UP = 0.1;

/** What every other batch takes from it: one late batch in fifty keeps the balance … */
const CAUTION_DOWN = CAUTION_UP / 50;

/** … and of a caution that is far up, at least this share. */
const CAUTION_EASE = 0.01;

/** What predictions get on top: those who come at the last moment that is predicted would be late every other time. */
const HEADROOM = 1.05;

/** Where batches are no further off than this share on average, the estimate is taken at its word. */
const ERROR_BORNE = 0.1;

/** Beyond this caution a model of cost is not wrong but of no use. */
const MAX_CAUTION = 3;

/**
 * What is learned about predictions from what became of them: how many rows batches have, how far a batch may be off what
 * it was expected to cost, and whether requests were too late. It changes batch by batch, never by the clock: every
 * batch that ends in time, one by one if need be, brings the caution back down, so that one bad time does not keep
 * everybody out for ever.
 */
export class Forecast {
  #fullRows: number;
  #usualRows = 1;
  #error = 0;
  #caution = 1;
  #hasMissed = false;

  constructor(maxBatchSize: number) {
    this.#fullRows = maxBatchSize;
  }

  /** Rows that a batch has when more than enough wait: requests of several rows, or of several kinds, leave gaps. */
  get fullRows(): number {
    return this.#fullRows;
  }

  /** Rows that batches had lately. */
  get usualRows(): number {
    return this.#usualRows;
  }

  /** What predictions are to be multiplied by; 1.05 or more. */
  get caution(): number {
    return HEADROOM * this.#caution;
  }

  /**
   * Share (0–1) of its expected cost that a batch may well take at least. Where calls of one method differ wildly, the
   * mean says nothing about the next one, and nobody is refused for it.
   */
  get certainty(): number {
    return Math.min(1, Math.max(0, 1 - 2 * (this.#error - ERROR_BORNE)));
  }

  /** A batch was released. */
  released(rows: number, isFull: boolean): void {
    this.#usualRows += NEWEST * (rows - this.#usualRows);
    if (isFull) this.#fullRows += NEWEST * (rows - this.#fullRows);
  }

  /** A request that was predicted to be answered in time was not; several before the next batch ends count once. */
  missed(): void {
    this.#hasMissed = true;
  }

  /** A batch has ended. */
  landed(executeMs: number, expectedMs: number | undefined): void {
    const easeBy = Math.max(CAUTION_DOWN, CAUTION_EASE * (this.#caution - 1));
    const changeBy = this.#hasMissed ? CAUTION_UP : -easeBy;
    this.#caution = Math.min(MAX_CAUTION, Math.max(1, this.#caution + changeBy));
    this.#hasMissed = false;
    if (expectedMs === undefined || expectedMs <= 0) return;
    const error = Math.min(1, Math.abs(executeMs - expectedMs) / expectedMs);
    this.#error += NEWEST * (error - this.#error);
  }
}
