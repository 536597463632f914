import { ServeError } from '@bentots/errors';

/** What is known about a call that failed without an answer: nothing of it ran, or it may have. */
export type CallProgress = 'not_started' | 'unknown';

const progress = new WeakMap<ServeError, CallProgress>();

/** Notes how far the call of an error came, for whoever decides about sending it again. */
export function withProgress(error: ServeError, value: CallProgress): ServeError {
  progress.set(error, value);
  return error;
}

/**
 * How far the failed call came: `not_started` may be sent elsewhere safely, `unknown` only when it is idempotent.
 * `undefined`: the runner answered, or the caller gave up; it must not be sent again.
 */
export function progressOf(error: unknown): CallProgress | undefined {
  return error instanceof ServeError ? progress.get(error) : undefined;
}

/** The peer broke the protocol: the connection ends with this. */
export function protocolError(message: string): ServeError {
  return new ServeError('protocol_error', message);
}
