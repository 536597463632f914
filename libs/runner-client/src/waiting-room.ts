import { setMaxListeners } from 'node:events';
import { ServeError } from '@bentots/errors';
import type { ClientConnection } from '@bentots/runner-wire';

/** How long a call may wait for a connection. */
export interface WaitBounds {
  readonly signal?: AbortSignal | undefined;
  /** Epoch ms. */
  readonly deadline?: number | undefined;
  readonly timeoutMs: number;
  /** The error when it took too long: up to its deadline, or as long as `timeoutMs` allows. */
  tooLate(bound: 'deadline' | 'timeout'): ServeError;
}

interface Guest {
  /** Number of the event after which it came. */
  readonly since: number;
  settle(outcome: ClientConnection | ServeError): void;
}

/** Calls that wait until there is a connection to make them on. */
export class WaitingRoom {
  readonly #guests = new Set<Guest>();

  /** Resolves to a connection; rejects with a ServeError when none came in time. */
  wait(since: number, bounds: WaitBounds): Promise<ClientConnection> {
    const { signal, deadline = Infinity, timeoutMs, tooLate } = bounds;
    const untilDeadlineMs = deadline - Date.now();
    const leftMs = Math.min(timeoutMs, untilDeadlineMs);
    // Said now, not read off the clock later: a timer may fire while the clock still shows the millisecond before.
    const bound = untilDeadlineMs <= timeoutMs ? 'deadline' : 'timeout';
    if (signal?.aborted === true) return Promise.reject(ServeError.from(signal.reason));
    if (leftMs <= 0) return Promise.reject(tooLate(bound));
    return new Promise((resolve, reject) => {
      const onAbort = (): void => settle(ServeError.from(signal?.reason));
      const settle = (outcome: ClientConnection | ServeError): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        this.#guests.delete(guest);
        if (outcome instanceof ServeError) reject(outcome);
        else resolve(outcome);
      };
      const timer = setTimeout(() => settle(tooLate(bound)), leftMs);
      const guest: Guest = { since, settle };
      this.#guests.add(guest);
      if (signal === undefined) return;
      setMaxListeners(0, signal);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** A connection is there: `pick` chooses for each guest. */
  admit(pick: () => ClientConnection | undefined): void {
    for (const guest of [...this.#guests]) {
      const connection = pick();
      if (connection !== undefined) guest.settle(connection);
    }
  }

  /** Sends away every guest that came before the event `until`. */
  refuse(until: number, error: () => ServeError): void {
    for (const guest of [...this.#guests]) {
      if (guest.since < until) guest.settle(error());
    }
  }
}
