import { AsyncLocalStorage } from 'node:async_hooks';
import type { Priority, RunnerTiming } from './runner-handle.js';

/** Follows one runner call. */
export interface CallWatch {
  /** What the runner says it did: once before the answer, or never. */
  timed(timing: RunnerTiming): void;
  /** The call was answered, or it failed. */
  ended(): void;
}

/** Follows the runner calls of one request. */
export interface CallObserver {
  /** A call for one answer begins. Streams are not told: their time is the caller's as much as the runner's. */
  begin(runner: string, method: string): CallWatch;
}

/** What the calls made while one request is served have in common. */
export interface CallContext {
  /** Aborted when the client went away or the time is over. */
  readonly signal: AbortSignal;
  /** When the time is over, in milliseconds since the epoch. */
  readonly deadline: number | undefined;
  /** W3C trace context of the request. */
  readonly traceparent: string | undefined;
  /** Priority of the calls that are made. @default 'normal' */
  readonly priority?: Priority | undefined;
  /** Told of the calls that are made. Without one, runners are not asked what they did. */
  readonly observer?: CallObserver | undefined;
}

const storage = new AsyncLocalStorage<CallContext>();

/** Runs `fn` so that runner calls inside it, awaited ones too, inherit deadline, signal and trace. */
export function runInCallContext<T>(context: CallContext, fn: () => T): T {
  return storage.run(context, fn);
}

/** The context of the request being served, or `undefined` outside of one. */
export function currentCallContext(): CallContext | undefined {
  return storage.getStore();
}
