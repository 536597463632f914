import type { StopReport } from '@bentots/supervisor';

import type { Announcement } from './prepared.js';

/**
 * A server that was told to start. Awaited itself, it is the server's whole life: it resolves when the server has
 * stopped and rejects with a ServeError when it could not start. Who awaits only one of the handle and `ready` gets the
 * failure there, and it counts as handled.
 */
export interface ServerHandle extends Promise<StopReport> {
  /** Resolves when requests are served; rejects when the server cannot start, or is stopped before. */
  readonly ready: Promise<Announcement>;
  /** Drains and ends everything; resolves when nothing is left. May be called at any time, and again. */
  stop(): Promise<void>;
}

/** Makes `life` a handle. */
export function createServerHandle(
  life: Promise<StopReport>,
  ready: Promise<Announcement>,
  stop: () => Promise<void>,
): ServerHandle {
  ready.catch(() => undefined); // it never fails alone: `life` carries the same failure
  return Object.defineProperties(life, {
    ready: {
      get: () => {
        life.catch(() => undefined); // whoever asks for `ready` gets the failure there
        return ready;
      },
    },
    stop: { value: stop },
  }) as ServerHandle; // a promise with the two properties just defined
}
