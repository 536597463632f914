import type { ServeError } from '@bentots/errors';

/** Runs commands one after the other, in the order in which they were given; none is refused until it is closed. */
export class CommandQueue {
  #last: Promise<void> = Promise.resolve();
  readonly #waiting = new Set<(error: ServeError) => void>();
  #closed: ServeError | undefined;

  /** Runs `command` when all earlier ones have ended, well or not. Settles as it does. */
  run<T>(command: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#closed !== undefined) {
        reject(this.#closed);
        return;
      }
      this.#waiting.add(reject);
      this.#last = this.#last.then(async () => {
        if (this.#waiting.delete(reject)) await command().then(resolve, reject);
      });
    });
  }

  /** Refuses those that wait, and all that come: `error` says why. The one that runs goes on. */
  close(error: ServeError): void {
    this.#closed ??= error;
    for (const reject of this.#waiting) reject(error);
    this.#waiting.clear();
  }

  /** What commands of more than one step throw when this was closed meanwhile. */
  throwIfClosed(): void {
    if (this.#closed !== undefined) throw this.#closed;
  }
}
