import { ServeError } from '@bentots/errors';

/** Why a request was not executed, for metrics. */
export type RefusalReason =
  /** The queue has as many rows as it may. */
  | 'queue_rows'
  /** The queue has as many bytes as it may. */
  | 'queue_bytes'
  /** Its deadline cannot be met, as far as the cost of batches is known. */
  | 'deadline'
  /** It would wait, or did wait, longer than the method's longest latency. */
  | 'max_latency'
  /** Its deadline passed while it waited. */
  | 'expired'
  /** Its caller went away while it waited. */
  | 'cancelled'
  /** The dispatcher takes no more requests. */
  | 'closing';

/** A reason for metrics, and the error for the caller. */
export interface Refusal {
  readonly reason: RefusalReason;
  readonly error: ServeError;
}

export function refuseClosing(name: string): Refusal {
  const error = new ServeError('unavailable', `'${name}' takes no more requests: it is stopping`);
  return { reason: 'closing', error };
}

/** What an aborted signal means. Whoever aborts with words of their own still means: the caller went away. */
export function refuseAborted(signal: AbortSignal): Refusal {
  const { reason }: { reason: unknown } = signal;
  const error = ServeError.from(reason);
  if (error.code === 'deadline_exceeded') return { reason: 'expired', error };
  if (error.code !== 'internal') return { reason: 'cancelled', error };
  const gone = new ServeError('cancelled', 'the caller went away', { cause: reason });
  return { reason: 'cancelled', error: gone };
}

export function refuseExpired(name: string): Refusal {
  const words = `the time for the request was over before '${name}' could run it`;
  return { reason: 'expired', error: new ServeError('deadline_exceeded', words) };
}

export function refuseLate(name: string, maxLatencyMs: number, retryAfterMs: number): Refusal {
  const words = `the request waited ${maxLatencyMs} ms for '${name}', its longest latency; try again in ${retryAfterMs} ms`;
  return {
    reason: 'max_latency',
    error: new ServeError('overloaded', words, { details: { maxLatencyMs, retryAfterMs } }),
  };
}

/** Of a request that has waited, and could not be answered in time any more even if it ran at once. */
export function refuseTooLate(name: string, leftMs: number, retryAfterMs: number): Refusal {
  const left = Math.max(0, Math.round(leftMs));
  const words = `the ${left} ms that are left of the request are not enough for '${name}'; allow more time, or try again in ${retryAfterMs} ms`;
  const error = new ServeError('overloaded', words, { details: { leftMs: left, retryAfterMs } });
  return { reason: 'deadline', error };
}
