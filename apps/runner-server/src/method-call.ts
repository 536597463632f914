import { ServeError } from '@bentots/errors';
import type { Priority, RunnerTiming, RunnerValue } from '@bentots/service';

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
  /** Takes the timer back; call it when the call is over. */
  release(): void;
}

/** Puts `timeoutMs` as an upper bound on a call. */
export function limitCall(call: MethodCall, timeoutMs: number | undefined): CallEnd {
  const { signal, deadline } = call;
  const limit = timeoutMs === undefined ? Infinity : Date.now() + timeoutMs;
  // Whoever brings a deadline also aborts at it: only a nearer limit needs a timer of its own.
  if (timeoutMs === undefined || (deadline !== undefined && deadline <= limit)) {
    return { signal, deadline, release: () => undefined };
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
    release: () => clearTimeout(timer),
  };
}

/** Settles as `work` does, or rejects at once when `signal` aborts; the work itself is not interrupted. */
export function untilAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(abortError(signal));
    const release = (): void => signal.removeEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    // Also when it is too late: a rejection that nobody hears would end the process.
    work.then(resolve, reject).finally(release);
  });
}

/** The reason of an abort as a ServeError: kept when it is one, a timeout as such, anything else as `cancelled`. */
export function abortError(signal: AbortSignal): ServeError {
  const { reason }: { reason: unknown } = signal;
  const error = ServeError.from(reason);
  return error.code === 'internal'
    ? new ServeError('cancelled', 'the caller went away', { cause: reason })
    : error;
}
