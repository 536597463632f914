import { ServeError } from '@bentots/errors';
import { classOf } from './class-of.js';
import { messageOf } from './message-of.js';

/**
 * What the caller of a runner's method gets for what the method threw: a ServeError as it is, for so a model says what
 * its caller is to see; anything else as `runner_failed` with class and message. The words are those of a runner in
 * another process, so that callers need not know where theirs is.
 */
export function toMethodFailure(runner: string, method: string, thrown: unknown): ServeError {
  if (thrown instanceof ServeError) return thrown;
  const [thrownClass, message] = [classOf(thrown), messageOf(thrown)];
  return new ServeError(
    'runner_failed',
    `runner '${runner}' method '${method}' failed: ${thrownClass}: ${message}`,
    { details: { runner, method, class: thrownClass, message }, cause: thrown },
  );
}
