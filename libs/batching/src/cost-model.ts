/** What a batch is expected to cost: `fixedMs + perRowMs · rows`. */
export interface BatchCost {
  /** What every batch pays, whatever its size. */
  readonly fixedMs: number;
  /** What each row adds. */
  readonly perRowMs: number;
}

/** Weight that one batch keeps when the next one is seen: the last fifty or so decide. */
const DECAY = 0.98;

/** Below this variance of rows (weighted) a slope would be noise. */
const MIN_ROW_VARIANCE = 1e-6;

/** A batch that took so many times more or less than any reading of the recent ones allows is an outlier … */
const OUTLIER = 4;

/** … where the difference is more than a turn of the loop. */
const OUTLIER_MS = 1;

/** Weight that all earlier batches keep at the second outlier in a row, and at each that follows. */
const FORGETTING = 0.3;

/**
 * Learns what a batch of n rows costs, as a straight line through the recent batches: least squares whose weights
 * fade by 0.98 per batch, so that a model that becomes slower is followed within some dozens of batches. A single batch
 * that was held up, by a paused machine say, counts no more than four times what it should have taken; several in a row
 * are how the model is now, and what was before is soon forgotten.
 */
export class CostModel {
  #seen = 0;
  #weight = 0;
  #rows = 0;
  #rowsSquared = 0;
  #ms = 0;
  #rowsMs = 0;
  #outliers = 0;

  /** Takes the measured time of one whole batch into account. The very first is left out: it pays for warming up. */
  observe(rows: number, executeMs: number): void {
    this.#seen += 1;
    if (this.#seen === 1) return;
    const believedMs = this.#believe(rows, executeMs);
    const kept = this.#outliers > 1 ? FORGETTING : DECAY;
    this.#weight = this.#weight * kept + 1;
    this.#rows = this.#rows * kept + rows;
    this.#rowsSquared = this.#rowsSquared * kept + rows * rows;
    this.#ms = this.#ms * kept + believedMs;
    this.#rowsMs = this.#rowsMs * kept + rows * believedMs;
  }

  /** What to count the time of a batch as. */
  #believe(rows: number, executeMs: number): number {
    const { cost } = this;
    if (cost === undefined) return executeMs;
    const onLineMs = estimateBatchMs(cost, rows);
    // Where sizes like this one were not seen yet, all of the time may prove to be in the rows.
    const perRowMs = (this.#ms / this.#rows) * rows;
    const highMs = Math.max(onLineMs, perRowMs) * OUTLIER;
    const lowMs = Math.min(onLineMs, perRowMs) / OUTLIER;
    const isOutlier =
      (executeMs > highMs && executeMs - highMs > OUTLIER_MS) ||
      (executeMs < lowMs && lowMs - executeMs > OUTLIER_MS);
    this.#outliers = isOutlier ? this.#outliers + 1 : 0;
    return this.#outliers === 1 ? Math.min(executeMs, highMs) : executeMs;
  }

  /** The line, neither part of it negative; undefined until two batches were seen. */
  get cost(): BatchCost | undefined {
    if (this.#weight === 0) return undefined;
    const meanRows = this.#rows / this.#weight;
    const meanMs = this.#ms / this.#weight;
    const variance = this.#rowsSquared / this.#weight - meanRows * meanRows;
    // Batches of one size tell nothing of the slope: all of the time counts as fixed.
    if (variance < MIN_ROW_VARIANCE) return { fixedMs: meanMs, perRowMs: 0 };
    const slope = (this.#rowsMs / this.#weight - meanRows * meanMs) / variance;
    // A line may not leave the first quadrant: it is tilted through the mean point until it does not.
    const perRowMs = Math.min(Math.max(slope, 0), meanMs / meanRows);
    return { fixedMs: Math.max(meanMs - perRowMs * meanRows, 0), perRowMs };
  }
}

/** The expected time of one batch of `rows` rows, in milliseconds. */
export function estimateBatchMs(cost: BatchCost, rows: number): number {
  return cost.fixedMs + cost.perRowMs * rows;
}
