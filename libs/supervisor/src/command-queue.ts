/** Runs commands one after the other, in the order in which they were given; none is refused. */
export class CommandQueue {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs `command` when all earlier ones have ended, well or not. Settles as it does. */
  run<T>(command: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(command);
    this.#last = mine.catch(() => undefined);
    return mine;
  }
}
