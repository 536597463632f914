import type { ServeError } from '@bentots/errors';
import type { RunnerValue } from '@bentots/service';
import { MIN_CHUNK_COST } from './incoming-call.js';
import type { CallSink } from './outgoing-call.js';

/** What a stream tells its connection. */
export interface StreamControl {
  /** Sends the call; errors come to the sink. */
  start(sink: StreamSink): void;
  /** Chunks of so many bytes were taken. */
  grant(bytes: number): void;
  /** The reader has left. */
  cancel(): void;
}

interface Reader {
  resolve(result: IteratorResult<RunnerValue, undefined>): void;
  reject(error: ServeError): void;
}

/**
 * The reading end of a stream. The call is sent with the first `next()`. Chunks that arrive before they are asked for
 * wait here, never more than the window; taking them makes room for others at the sender.
 */
export class StreamSink implements CallSink, AsyncIterableIterator<RunnerValue, undefined> {
  readonly #control: StreamControl;
  readonly #window: number;
  readonly #chunks: { readonly value: RunnerValue; readonly cost: number }[] = [];
  readonly #readers: Reader[] = [];
  #state: 'new' | 'open' | 'ended' = 'new';
  #error: ServeError | undefined;
  #taken = 0;

  constructor(control: StreamControl, windowBytes: number) {
    this.#control = control;
    this.#window = windowBytes;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<RunnerValue, undefined>> {
    if (this.#state === 'new') {
      this.#state = 'open';
      this.#control.start(this);
    }
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) {
      this.#give(chunk.cost);
      return Promise.resolve({ done: false, value: chunk.value });
    }
    if (this.#state === 'open')
      return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
    return this.#finish();
  }

  /** Leaves the stream: the call is cancelled unless it has ended. */
  return(): Promise<IteratorResult<RunnerValue, undefined>> {
    this.#chunks.length = 0;
    const running = this.#state === 'open';
    this.#error = undefined;
    this.end();
    if (running) this.#control.cancel();
    return Promise.resolve({ done: true, value: undefined });
  }

  result(value: RunnerValue): void {
    this.chunk(value, 0);
    this.end();
  }

  chunk(value: RunnerValue, bytes: number): void {
    if (this.#state !== 'open') return;
    const cost = Math.max(bytes, MIN_CHUNK_COST);
    const reader = this.#readers.shift();
    if (reader === undefined) {
      this.#chunks.push({ value, cost });
    } else {
      this.#give(cost);
      reader.resolve({ done: false, value });
    }
  }

  end(): void {
    this.#state = 'ended';
    for (const reader of this.#readers.splice(0)) this.#finish().then(reader.resolve, reader.reject);
  }

  fail(error: ServeError): void {
    if (this.#state !== 'open') return;
    this.#error = error;
    this.end();
  }

  /** An error is thrown once; the stream is over after it. */
  #finish(): Promise<IteratorResult<RunnerValue, undefined>> {
    const error = this.#error;
    this.#error = undefined;
    return error === undefined ? Promise.resolve({ done: true, value: undefined }) : Promise.reject(error);
  }

  /** Credit is given back in halves of the window: few frames, and the sender never runs dry. */
  #give(cost: number): void {
    this.#taken += cost;
    if (this.#taken * 2 < this.#window || this.#state !== 'open') return;
    this.#control.grant(this.#taken);
    this.#taken = 0;
  }
}
