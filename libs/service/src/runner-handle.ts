import type { RunnerValue } from './values.js';

/** Which of the calls that wait are run first. */
export type Priority = 'high' | 'normal' | 'low';

/** What a runner did for one answer. */
export interface RunnerTiming {
  /** How long the call waited for a worker that is free. */
  readonly queueMs: number;
  /** How long it was held, while a worker was free, for others to join it. */
  readonly batchMs: number;
  /** How long the batch that it was in took. */
  readonly inferMs: number;
  /** Rows of that batch. */
  readonly batchRows: number;
}

/** How one call is to be made. */
export interface HandleCallOptions {
  /** Aborts the call. */
  readonly signal?: AbortSignal | undefined;
  /** When the call fails with `deadline_exceeded`, in milliseconds since the epoch. */
  readonly deadline?: number | undefined;
  /** W3C trace context to pass on. */
  readonly traceparent?: string | undefined;
  /** Whether the call may be sent again after a broken connection. @default false */
  readonly idempotent?: boolean | undefined;
  /** @default 'normal' */
  readonly priority?: Priority | undefined;
  /** Told once, before the answer, what the runner did; not by runners that live in this process. */
  readonly onTiming?: ((timing: RunnerTiming) => void) | undefined;
}

/** A way to reach a runner: in this process, over a connection, or spread over many. All fail with ServeErrors only. */
export interface RunnerHandle {
  /** Calls a method and resolves to its result. */
  run(method: string, args: readonly RunnerValue[], options: HandleCallOptions): Promise<RunnerValue>;
  /** Calls a streaming method; leaving the loop early cancels it. */
  stream(
    method: string,
    args: readonly RunnerValue[],
    options: HandleCallOptions,
  ): AsyncIterable<RunnerValue>;
  /** Whether calls would be answered now; resolves to false, never rejects, when it cannot know before `signal`. */
  isReady(signal: AbortSignal): Promise<boolean>;
  /** Lets go of connections or of the runnable; may be called again. */
  close(): Promise<void>;
}
