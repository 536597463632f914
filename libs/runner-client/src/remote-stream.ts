import type { ClientConnection } from '@bentots/runner-wire';
import type { HandleCallOptions, RunnerValue } from '@bentots/service';

/** What a {@link RemoteStream} needs of its handle. */
export interface StreamSource {
  /** A connection, another than `tried` if there is one. */
  connection(options: HandleCallOptions, tried?: ClientConnection): Promise<ClientConnection>;
  mayRepeat(error: unknown, options: HandleCallOptions): boolean;
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
    const connection = await this.#source.connection(this.#options);
    try {
      return await this.#open(connection);
    } catch (error) {
      if (this.#left || !this.#source.mayRepeat(error, this.#options)) throw error;
      const other = await this.#source.connection(this.#options, connection).catch(() => undefined);
      if (other === undefined) throw error;
      return this.#open(other);
    }
  }

  #open(connection: ClientConnection): Promise<Result> {
    if (this.#left) return Promise.resolve({ done: true, value: undefined });
    this.#current = connection.stream(this.#method, this.#args, this.#options);
    return this.#current.next();
  }
}
