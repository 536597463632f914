interface Event {
  readonly at: number;
  readonly order: number;
  readonly fn: () => void;
  cancelled: boolean;
}

/** Virtual time: a heap of what happens when, equals in the order in which they were planned. */
export class Timeline {
  readonly #heap: Event[] = [];
  #now = 0;
  #order = 0;

  /** Milliseconds since the start of the simulation. */
  get now(): number {
    return this.#now;
  }

  /** When the next event happens; Infinity when none is planned. */
  get next(): number {
    while (this.#heap[0]?.cancelled) this.#pop();
    return this.#heap[0]?.at ?? Infinity;
  }

  /** Plans `fn`; the result takes it back. */
  after(delayMs: number, fn: () => void): () => void {
    const event: Event = { at: this.#now + Math.max(0, delayMs), order: this.#order++, fn, cancelled: false };
    this.#heap.push(event);
    this.#rise(this.#heap.length - 1);
    return () => void (event.cancelled = true);
  }

  /** Moves to the next event, and lets it happen. */
  step(): void {
    const at = this.next;
    const event = this.#pop();
    if (event === undefined) return;
    this.#now = at;
    event.fn();
  }

  #pop(): Event | undefined {
    const [first] = this.#heap;
    const last = this.#heap.pop();
    if (last !== undefined && last !== first) {
      this.#heap[0] = last;
      this.#sink();
    }
    return first;
  }

  #rise(from: number): void {
    for (let child = from; child > 0;) {
      const parent = (child - 1) >> 1;
      if (!this.#swapIfBefore(child, parent)) return;
      child = parent;
    }
  }

  #sink(): void {
    for (let parent = 0; ;) {
      const [left, right] = [2 * parent + 1, 2 * parent + 2];
      const child = right < this.#heap.length && this.#isBefore(right, left) ? right : left;
      if (child >= this.#heap.length || !this.#swapIfBefore(child, parent)) return;
      parent = child;
    }
  }

  #isBefore(left: number, right: number): boolean {
    const [a, b] = [this.#heap[left], this.#heap[right]];
    if (a === undefined || b === undefined) return false;
    return a.at < b.at || (a.at === b.at && a.order < b.order);
  }

  #swapIfBefore(child: number, parent: number): boolean {
    const [a, b] = [this.#heap[child], this.#heap[parent]];
    if (a === undefined || b === undefined || !this.#isBefore(child, parent)) return false;
    [this.#heap[child], this.#heap[parent]] = [b, a];
    return true;
  }
}
