/** Weight of the newest batch in the running means. */
const NEWEST = 0.1;

/** What one batch with a request that came later than predicted adds to the caution. */
const CAUTION_UP = 0.1;

/** What every other batch takes from it: one late batch in twenty keeps the balance. */
const CAUTION_DOWN = CAUTION_UP / 20;

/** What predictions get on top: those who come to the last moment that is predicted would be late every other time. */
const HEADROOM = 1.05;

/** Beyond this caution a model of cost is not wrong but of no use. */
const MAX_CAUTION = 3;

/**
 * What is learned about predictions from what became of them: how many rows batches have, and how far predictions were
 * off. It is corrected batch by batch, never by the clock alone: every batch that ends, one by one if need be,
 * brings the caution back down, so that one bad time does not keep everybody out for ever.
 */
export class Forecast {
  readonly #maxBatchSize: number;
  #fullRows: number;
  #usualRows = 1;
  #caution = 1;

  constructor(maxBatchSize: number) {
    this.#maxBatchSize = maxBatchSize;
    this.#fullRows = maxBatchSize;
  }

  /** Rows that a batch has when more than enough wait: requests of several rows, or of several kinds, leave gaps. */
  get fullRows(): number {
    return Math.max(1, this.#fullRows);
  }

  /** Rows that batches had lately. */
  get usualRows(): number {
    return this.#usualRows;
  }

  /** What predictions are to be multiplied by. */
  get caution(): number {
    return HEADROOM * this.#caution;
  }

  /** A batch was released. */
  released(rows: number, isFull: boolean): void {
    this.#usualRows += NEWEST * (rows - this.#usualRows);
    if (isFull) this.#fullRows += NEWEST * (Math.min(rows, this.#maxBatchSize) - this.#fullRows);
  }

  /** A batch has ended; its latest request took `ratio` times what was predicted without any caution. */
  landed(ratio: number): void {
    const change = ratio > this.#caution ? CAUTION_UP : -CAUTION_DOWN;
    this.#caution = Math.min(MAX_CAUTION, Math.max(1, this.#caution + change));
  }
}
