import { ServeError } from '@bentots/errors';
import { progressOf } from '@bentots/runner-wire';

/**
 * Whether an error makes its replica suspect: a lost connection, a broken protocol, no answer in time, or an answer that
 * says `unavailable` or `internal`. Not so what the call itself is to blame for, a full queue, or an orderly refusal
 * before anything ran.
 */
export function isReplicaFailure(error: unknown): boolean {
  const progress = progressOf(error);
  if (progress !== undefined) return progress === 'unknown';
  if (!(error instanceof ServeError)) return false;
  const { code } = error;
  return (
    code === 'deadline_exceeded' || code === 'unavailable' || code === 'internal' || code === 'protocol_error'
  );
}
