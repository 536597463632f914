import type { Part } from './job.js';

/** Parts in order of arrival. Leaving from the middle is as cheap as from the head: a Set keeps the order. */
export class PartQueue<I, O> {
  readonly #parts = new Set<Part<I, O>>();
  #rows = 0;

  /** Rows of all parts that wait. */
  get rows(): number {
    return this.#rows;
  }

  push(part: Part<I, O>): void {
    this.#parts.add(part);
    this.#rows += part.rows;
  }

  /** Takes `part` out if it still waits. */
  remove(part: Part<I, O>): void {
    if (this.#parts.delete(part)) this.#rows -= part.rows;
  }

  /**
   * Takes the head and what is of its kind, in order, as long as it fits into `maxRows`. Parts of other kinds keep
   * their place: one of them is the next head.
   */
  take(maxRows: number): readonly Part<I, O>[] {
    const taken: Part<I, O>[] = [];
    let rows = 0;
    for (const part of this.#parts) {
      if (part.kind !== (taken[0] ?? part).kind) continue;
      if (rows + part.rows > maxRows) break;
      rows += part.rows;
      taken.push(part);
    }
    for (const part of taken) this.remove(part);
    return taken;
  }

  /** The parts that wait, oldest first. */
  [Symbol.iterator](): IterableIterator<Part<I, O>> {
    return this.#parts.values();
  }
}
