import { INTERNAL_MESSAGE, ServeError } from '@bentots/errors';
import type { RequestContext } from './request-context.js';

/**
 * What a call failed with as a ServeError: one stays itself, all else is `internal` with the original as its cause.
 *
 * An AbortError or TimeoutError means that the call was given up only if it was: one of the user's own (a download
 * that timed out) says nothing about the client.
 */
export function toServeError(error: unknown, context: RequestContext): ServeError {
  if (error instanceof ServeError) return error;
  return context.abortReason ?? new ServeError('internal', INTERNAL_MESSAGE, { cause: error });
}
