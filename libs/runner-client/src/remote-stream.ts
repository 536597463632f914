import type { HandleCallOptions, RunnerValue } from '@bentots/service';
import type { Lane } from './balance/lane.js';

/** What a {@link RemoteStream} needs of its handle. */
export interface StreamSource {
  /** A connection to make a call on, on another replica than that of `tried` if there is one; waits if need be. */
  lane(options: HandleCallOptions, tried?: Lane): Promise<Lane>;
  /** Whether a call that failed so may be made once more. */
  mayRepeat(error: unknown, options: HandleCallOptions): boolean;
  /** A call was answered well. */
  onServed(lane: Lane): void;
  /** A call failed, for whatever reason. */
  onFailed(lane: Lane, error: unknown): void;
}

type Result = IteratorResult<RunnerValue, undefined>;

/**
 * A stream over whatever connection serves it. It is called with the first `next()`; until the first value came it may
 * be called once more on another connection, never after.
 */
export class RemoteStream implements AsyncIterableIterator<RunnerValue, undefined> {
  readonly #source: StreamSource;
  readonly #method: string;
  readonly #args: readonly RunnerValue[];
  readonly #options: HandleCallOptions;
  #current: AsyncIterableIterator<RunnerValue, undefined> | undefined;
  #first: Promise<Result> | undefined;
  #left = false;

  constructor(
    source: StreamSource,
    method: string,
    args: readonly RunnerValue[],
    options: HandleCallOptions,
  ) {
    this.#source = source;
    this.#method = method;
    this.#args = args;
    this.#options = options;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Result> {
    if (this.#left) return Promise.resolve({ done: true, value: undefined });
    if (this.#first === undefined) {
      this.#first = this.#begin();
      return this.#first;
    }
    // Who asks for the second value before the first came waits for the stream to stand.
    return this.#first.then(() => this.#current?.next() ?? { done: true, value: undefined });
  }

  /** Leaves the stream: the call is cancelled unless it has ended. */
  async return(): Promise<Result> {
    this.#left = true;
    await this.#current?.return?.();
    return { done: true, value: undefined };
  }

  async #begin(): Promise<Result> {
    const lane = await this.#source.lane(this.#options);
    try {
      return await this.#open(lane);
    } catch (error) {
      if (this.#left || !this.#source.mayRepeat(error, this.#options)) throw error;
      const other = await this.#source.lane(this.#options, lane).catch(() => undefined);
      if (other === undefined) throw error;
      return this.#open(other);
    }
  }

  async #open(lane: Lane): Promise<Result> {
    if (this.#left) return { done: true, value: undefined };
    this.#current = lane.connection.stream(this.#method, this.#args, this.#options);
    try {
      const first = await this.#current.next();
      // Who begins to answer serves; how the stream goes on says more of its method than of its replica.
      this.#source.onServed(lane);
      return first;
    } catch (error) {
      this.#source.onFailed(lane, error);
      throw error;
    }
  }
}
