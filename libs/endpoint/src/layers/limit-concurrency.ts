import { ServeError } from '@bentots/errors';
import type { Layer } from './layer.js';

/** What a refused client is told to wait: long enough to matter, short enough not to leave the server idle. */
const RETRY_AFTER_MS = 1_000;

/**
 * Refuses calls with `too_many_requests` while `max` are being worked on, by all endpoints that share this layer.
 *
 * A slot is kept until the work itself ends, also when its answer went out earlier (deadline, client gone): what the
 * limit protects is still in use until then.
 */
export function limitConcurrency(max: number): Layer {
  const slots = { taken: 0 };
  const release = (): void => {
    slots.taken -= 1;
  };
  return (next) => (call) => {
    if (slots.taken >= max) {
      const message = `the server works on ${max} calls at once, its limit; try again later`;
      const details = { limit: max, retryAfterMs: RETRY_AFTER_MS };
      throw new ServeError('too_many_requests', message, { details });
    }
    slots.taken += 1;
    try {
      return next(call);
    } finally {
      if (call.work === undefined) release();
      else call.work.then(release, release);
    }
  };
}
