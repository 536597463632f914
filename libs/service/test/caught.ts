import { ServeError } from '@bentots/errors';

/** The ServeError that `fn` throws or rejects with; anything else fails the test. */
export async function caught(fn: () => unknown): Promise<ServeError> {
  try {
    await fn();
  } catch (error) {
    if (error instanceof ServeError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
