import { ServeError } from '@bentots/errors';

/** Enough to find the place; an error must not become a large answer. */
const MAX_STACK_LENGTH = 8192;

/** For the way from a runner worker to its dispatcher: the error with the stack of what the model threw. */
export function withStack(thrown: unknown): ServeError {
  const error = ServeError.from(thrown);
  const { cause } = error;
  if (!(cause instanceof Error) || cause.stack === undefined) return error;
  const details = { ...error.details, stack: cause.stack.slice(0, MAX_STACK_LENGTH) };
  return new ServeError(error.code, error.message, { details, cause });
}

/** What {@link withStack} made, as it was before: the stack is the cause's again, for the log, and leaves no more. */
export function withoutStack(thrown: unknown): ServeError {
  const error = ServeError.from(thrown);
  const { stack, ...details } = error.details ?? {};
  if (typeof stack !== 'string') return error;
  const cause = new Error(error.message);
  cause.stack = stack;
  return new ServeError(error.code, error.message, { details, cause });
}
