import { ServeError } from '@bentots/errors';
import type { Priority, RunnerTiming, RunnerValue } from '@bentots/service';

/** How early a timer may fire. */
const EARLY_MS = 5;

/** One call of a method, whichever door it came by. */
export interface MethodCall {
  readonly method: string;
  readonly args: readonly RunnerValue[];
  /** Aborts when nobody waits any more: cancelled, over time, or the connection is gone. */
  readonly signal: AbortSignal;
  /** Epoch milliseconds. */
  readonly deadline?: number | undefined;
  /** W3C trace context. */
  readonly traceparent?: string | undefined;
  /** @default 'normal' */
  readonly priority?: Priority | undefined;
  /** Told what was done for the answer, before it is given. */
  timing?(timing: RunnerTiming): void;
}

/** A call's end as this server sees it: the caller's own, or the server's limit where that is nearer. */
export interface CallEnd {
  readonly signal: AbortSignal;
  readonly deadline: number | undefined;
  /** Whoever noticed first that the time is over: the error that says whose limit it was. */
  explain(error: unknown): unknown;
  /** Takes the timer back; call it when the call is over. */
  release(): void;
}

/** Puts `timeoutMs` as an upper bound on a call. */
export function limitCall(call: MethodCall, timeoutMs: number | undefined): CallEnd {
  const { signal, deadline } = call;
  const limit = timeoutMs === undefined ? Infinity : Date.now() + timeoutMs;
  // Whoever brings a deadline also aborts at it: only a nearer limit needs a timer of its own.
  if (timeoutMs === undefined || (deadline !== undefined && deadline <= limit)) {
    return { signal, deadline, explain: (error) => error, release: () => undefined };
  }
  const timeout = new AbortController();
  const overdue = new ServeError(
    'deadline_exceeded',
    `method '${call.method}' took longer than the ${timeoutMs} ms that this runner allows`,
  );
  const timer = setTimeout(() => timeout.abort(overdue), timeoutMs);
  return {
    signal: AbortSignal.any([signal, timeout.signal]),
    deadline: limit,
    explain: (error) => (timeout.signal.aborted || isOverdue(error, limit) ? overdue : error),
    release: () => clearTimeout(timer),
  };
}

/** Every clock on the way may be first, and a little early. */
function isOverdue(error: unknown, limit: number): boolean {
  const isLate = error instanceof ServeError && error.code === 'deadline_exceeded';
  return isLate && Date.now() >= limit - EARLY_MS;
}
