/**
 * Runs tasks in order, each in a turn of the event loop of its own. A model may block its thread: between two of its
 * calls what has arrived is read (a cancellation among it), and what was answered leaves.
 */
export class Turns {
  readonly #waiting: (() => void)[] = [];
  #isTaken = false;

  /** Runs `task` now if nothing ran in this turn, else when all before it have had theirs. */
  take(task: () => void): void {
    if (this.#isTaken) {
      this.#waiting.push(task);
      return;
    }
    this.#begin(task);
  }

  #begin(task: () => void): void {
    this.#isTaken = true;
    // Immediates run after the sockets were read; the tick queue before them runs when answers were written.
    process.nextTick(() => setImmediate(() => this.#next()));
    task();
  }

  #next(): void {
    const task = this.#waiting.shift();
    if (task === undefined) this.#isTaken = false;
    else this.#begin(task);
  }
}
