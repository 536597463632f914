import { INTERNAL_MESSAGE, ServeError } from '@bentots/errors';
import type { RequestContext } from '../request-context.js';
import type { Layer } from './layer.js';

/** Makes every rejection a ServeError: one stays itself, all else is `internal` with the original as its cause. */
export const reportServeErrors: Layer = (next) => async (call) => {
  try {
    return await next(call);
  } catch (error) {
    throw toServeError(error, call.context);
  }
};

/**
 * An AbortError or TimeoutError means that the call was given up only if it was: one of the user's own (a download
 * that timed out) says nothing about the client.
 */
function toServeError(error: unknown, context: RequestContext): ServeError {
  if (error instanceof ServeError) return error;
  return context.abortReason ?? new ServeError('internal', INTERNAL_MESSAGE, { cause: error });
}
