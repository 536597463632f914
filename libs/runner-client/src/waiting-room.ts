import { setMaxListeners } from 'node:events';
import { ServeError } from '@bentots/errors';

/** Who waits: a call, or a question whether calls would be served. */
export type WaitReason = 'call' | 'question';

/** How long to wait for a connection. */
export interface WaitBounds {
  readonly reason: WaitReason;
  /** Number of the moment in which the wait began. */
  readonly since: number;
  readonly signal?: AbortSignal | undefined;
  /** Epoch ms. */
  readonly deadline?: number | undefined;
  readonly timeoutMs: number;
  /** The error when it took too long: up to its deadline, or as long as `timeoutMs` allows. */
  tooLate(bound: 'deadline' | 'timeout'): ServeError;
  /** The error when too many wait. */
  tooMany(): ServeError;
}

interface Guest<T extends object> {
  readonly since: number;
  readonly reason: WaitReason;
  settle(outcome: T | ServeError): void;
}

/** Calls that wait until there is a connection to make them on. */
export class WaitingRoom<T extends object> {
  readonly #seats: number;
  readonly #guests = new Set<Guest<T>>();

  constructor(seats: number) {
    this.#seats = seats;
  }

  /** How many wait. */
  get size(): number {
    return this.#guests.size;
  }

  /** Resolves to a connection; rejects with a ServeError when none came in time. */
  wait(bounds: WaitBounds): Promise<T> {
    const { since, reason, signal, deadline = Infinity, timeoutMs, tooLate } = bounds;
    const untilDeadlineMs = deadline - Date.now();
    const leftMs = Math.min(timeoutMs, untilDeadlineMs);
    // Said now, not read off the clock later: a timer may fire while the clock still shows the millisecond before.
    const bound = untilDeadlineMs <= timeoutMs ? 'deadline' : 'timeout';
    if (signal?.aborted === true) return Promise.reject(ServeError.from(signal.reason));
    if (leftMs <= 0) return Promise.reject(tooLate(bound));
    if (this.#guests.size >= this.#seats) return Promise.reject(bounds.tooMany());
    return new Promise((resolve, reject) => {
      const onAbort = (): void => settle(ServeError.from(signal?.reason));
      const settle = (outcome: T | ServeError): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        this.#guests.delete(guest);
        if (outcome instanceof ServeError) reject(outcome);
        else resolve(outcome);
      };
      const timer = setTimeout(() => settle(tooLate(bound)), leftMs);
      const guest: Guest<T> = { since, reason, settle };
      this.#guests.add(guest);
      if (signal === undefined) return;
      setMaxListeners(0, signal);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** A connection is there: `pick` chooses for each guest. */
  admit(pick: () => T | undefined): void {
    for (const guest of [...this.#guests]) {
      const connection = pick();
      if (connection === undefined) return;
      guest.settle(connection);
    }
  }

  /** Sends away the guests that came before the moment `until`. */
  refuse(reason: WaitReason, until: number, error: () => ServeError): void {
    for (const guest of [...this.#guests]) {
      if (guest.reason === reason && guest.since < until) guest.settle(error());
    }
  }
}
