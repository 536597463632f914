import { ServeError } from '@bentots/errors';
import type { HandleCallOptions } from './runner-handle.js';

/** Settles as `work` does, or rejects as soon as the caller's signal is aborted or its deadline is over. */
export async function beforeEnd<T>(
  { signal, deadline }: HandleCallOptions,
  work: () => Promise<T>,
): Promise<T> {
  if (signal?.aborted) throw abortError(signal);
  if (deadline !== undefined && deadline <= Date.now()) throw overdue();
  if (signal === undefined && deadline === undefined) return work();

  let timer: NodeJS.Timeout | undefined;
  let onAbort: (() => void) | undefined;
  const end = new Promise<never>((_, reject) => {
    if (deadline !== undefined) timer = setTimeout(() => reject(overdue()), deadline - Date.now());
    if (signal !== undefined) {
      onAbort = () => reject(abortError(signal));
      signal.addEventListener('abort', onAbort, { once: true });
    }
  });
  try {
    return await Promise.race([work(), end]);
  } finally {
    clearTimeout(timer);
    if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort);
  }
}

/** A ServeError given as the reason of an abort is kept: the edge knows best why it stopped. */
function abortError(signal: AbortSignal): ServeError {
  const reason: unknown = signal.reason;
  if (reason instanceof ServeError) return reason;
  const timedOut = reason instanceof Error && reason.name === 'TimeoutError';
  return timedOut ? overdue(reason) : new ServeError('cancelled', 'the caller went away', { cause: reason });
}

function overdue(cause?: unknown): ServeError {
  return new ServeError('deadline_exceeded', 'the time for the request is over', { cause });
}
