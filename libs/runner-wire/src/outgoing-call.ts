import { ServeError } from '@bentots/errors';
import type { RunnerTiming, RunnerValue } from '@bentots/service';

/** Where the frames of one call go. Exactly one of `result`, `end` and `fail` comes, and is the last. */
export interface CallSink {
  result(value: RunnerValue): void;
  chunk(value: RunnerValue, bytes: number): void;
  end(): void;
  fail(error: ServeError): void;
}

/** What the connection knows about a call that waits for its answer. */
export interface OutgoingCall {
  readonly id: number;
  readonly method: string;
  readonly deadline: number;
  /** How often the connection had written when the call was queued: it has left when there were more writes. */
  readonly queuedAt: number;
  readonly sink: CallSink;
  readonly signal: AbortSignal | undefined;
  readonly onAbort: (() => void) | undefined;
  /** Set as long as a timing frame may come: until it has, or the first chunk. */
  onTiming: ((timing: RunnerTiming) => void) | undefined;
}

/** A call with one result. */
export class ResultSink implements CallSink {
  readonly #method: string;
  readonly #resolve: (value: RunnerValue) => void;
  readonly #reject: (error: ServeError) => void;

  constructor(method: string, resolve: (value: RunnerValue) => void, reject: (error: ServeError) => void) {
    this.#method = method;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  result(value: RunnerValue): void {
    this.#resolve(value);
  }

  chunk(): void {
    this.end();
  }

  end(): void {
    this.#reject(
      new ServeError('protocol_error', `the runner answered '${this.#method}' with a stream, not a result`),
    );
  }

  fail(error: ServeError): void {
    this.#reject(error);
  }
}
