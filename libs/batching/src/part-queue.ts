import type { Part, Priority } from './job.js';

const PRIORITIES: readonly Priority[] = ['high', 'normal', 'low'];

/** Parts of one priority, in order of arrival: a linked list, so that leaving from anywhere costs the same. */
interface Lane<I, O> {
  rows: number;
  first: Part<I, O> | undefined;
  last: Part<I, O> | undefined;
}

/** What {@link PartQueue.take} found. */
export interface Taken<I, O> {
  readonly taken: readonly Part<I, O>[];
  readonly late: readonly Part<I, O>[];
}

/** Parts by priority, and within one in order of arrival. */
export class PartQueue<I, O> {
  readonly #lanes: Readonly<Record<Priority, Lane<I, O>>> = {
    high: { rows: 0, first: undefined, last: undefined },
    normal: { rows: 0, first: undefined, last: undefined },
    low: { rows: 0, first: undefined, last: undefined },
  };
  #bytes = 0;

  /** Rows of all parts that wait. */
  get rows(): number {
    const { high, normal, low } = this.#lanes;
    return high.rows + normal.rows + low.rows;
  }

  /** Rows that go before a new part of `priority`. */
  rowsBefore(priority: Priority): number {
    const { high, normal, low } = this.#lanes;
    if (priority === 'high') return high.rows;
    return priority === 'normal' ? high.rows + normal.rows : high.rows + normal.rows + low.rows;
  }

  /** Bytes of all parts that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The part that goes next. */
  get head(): Part<I, O> | undefined {
    const { high, normal, low } = this.#lanes;
    return high.first ?? normal.first ?? low.first;
  }

  /** Adds the newest part of its priority. */
  push(part: Part<I, O>): void {
    this.#insert(part, this.#lanes[part.job.priority].last);
  }

  /** Gives a part that was taken its old place again: by priority, then by age. */
  putBack(part: Part<I, O>): void {
    const lane = this.#lanes[part.job.priority];
    // What was taken stood near the head, so the place is found from there.
    let before: Part<I, O> | undefined = undefined;
    for (let next = lane.first; next !== undefined && isOlder(next, part); next = next.after) before = next;
    this.#insert(part, before);
  }

  /** Takes `part` out if it still waits. */
  remove(part: Part<I, O>): void {
    if (!part.isQueued) return;
    const lane = this.#lanes[part.job.priority];
    if (part.before === undefined) lane.first = part.after;
    else part.before.after = part.after;
    if (part.after === undefined) lane.last = part.before;
    else part.after.before = part.before;
    part.isQueued = false;
    part.before = part.after = undefined;
    lane.rows -= part.rows;
    this.#bytes -= part.bytes;
  }

  /**
   * Takes the head and what is of its kind, in order, as long as it fits into `maxRows`; the head itself always. Parts
   * of other kinds keep their place: one of them is the next head. A suspect is taken alone. What is late
   * gets into no batch: it stays where it is, for the caller to refuse.
   */
  take(maxRows: number, isLate: (part: Part<I, O>) => boolean): Taken<I, O> {
    const taken: Part<I, O>[] = [];
    const late: Part<I, O>[] = [];
    let rows = 0;
    for (const part of this) {
      const [head] = taken;
      if (head !== undefined) {
        if (head.isSuspect || rows >= maxRows) break;
        if (part.kind !== head.kind) continue;
        if (part.isSuspect || rows + part.rows > maxRows) break;
      }
      if (isLate(part)) late.push(part);
      else {
        rows += part.rows;
        taken.push(part);
      }
    }
    for (const part of taken) this.remove(part);
    return { taken, late };
  }

  /** The parts that wait, in the order in which they go; none may come or go during the walk. */
  *[Symbol.iterator](): IterableIterator<Part<I, O>> {
    for (const priority of PRIORITIES) {
      for (let part = this.#lanes[priority].first; part !== undefined; part = part.after) yield part;
    }
  }

  #insert(part: Part<I, O>, before: Part<I, O> | undefined): void {
    const lane = this.#lanes[part.job.priority];
    const after = before === undefined ? lane.first : before.after;
    part.before = before;
    part.after = after;
    if (before === undefined) lane.first = part;
    else before.after = part;
    if (after === undefined) lane.last = part;
    else after.before = part;
    part.isQueued = true;
    lane.rows += part.rows;
    this.#bytes += part.bytes;
  }
}

function isOlder<I, O>(part: Part<I, O>, other: Part<I, O>): boolean {
  const byOrder = part.job.order - other.job.order;
  return byOrder < 0 || (byOrder === 0 && part.index < other.index);
}
