import { ServeError } from '@bentots/errors';
import {
  type CallContext,
  createRunnable,
  disposeRunnable,
  runInCallContext,
  type RunnerFacts,
  type RunnerValue,
  toMethodFailure,
} from '@bentots/service';

/**
 * Where the model lives. All that the server knows of it passes here as plain values, so that the same runnable may
 * live in this thread or in another one. Fails with ServeErrors only.
 */
export interface RunnableHost {
  /** Calls a method once; the arguments are what the method gets, the context what it may ask for. */
  call(method: string, args: readonly RunnerValue[], context: CallContext): Promise<RunnerValue>;
  /** Calls a streaming method; ending the loop early ends the generator. */
  stream(
    method: string,
    args: readonly RunnerValue[],
    context: CallContext,
  ): AsyncIterableIterator<RunnerValue>;
  /** Lets the model go. */
  close(): Promise<void>;
}

/**
 * Loads the runner's model into this thread: the constructor and `init()` have run when it resolves. A synchronous
 * method blocks this thread, and so the wire, for as long as one batch takes.
 *
 * @throws ServeError `worker_not_ready` with the runner's name, its class and the model's own words.
 */
export async function loadRunnable(facts: RunnerFacts): Promise<RunnableHost> {
  try {
    return new InThreadRunnable(facts, await createRunnable(facts));
  } catch (error) {
    throw notLoaded(facts, ServeError.from(error));
  }
}

class InThreadRunnable implements RunnableHost {
  readonly #facts: RunnerFacts;
  readonly #instance: object;
  #closed: Promise<void> | undefined;

  constructor(facts: RunnerFacts, instance: object) {
    this.#facts = facts;
    this.#instance = instance;
  }

  async call(method: string, args: readonly RunnerValue[], context: CallContext): Promise<RunnerValue> {
    try {
      return toValue(await runInCallContext(context, () => this.#invoke(method, args)));
    } catch (error) {
      throw toMethodFailure(this.#facts.name, method, error);
    }
  }

  stream(
    method: string,
    args: readonly RunnerValue[],
    context: CallContext,
  ): AsyncIterableIterator<RunnerValue> {
    const values = this.#iterate(method, args);
    // The body of a generator runs in the context of whoever asks for its next value.
    return {
      next: () => runInCallContext(context, () => values.next()),
      return: () => values.return(undefined),
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  async *#iterate(method: string, args: readonly RunnerValue[]): AsyncGenerator<RunnerValue> {
    try {
      const values = this.#invoke(method, args);
      if (!isAsyncIterable(values)) throw new TypeError('it returned nothing to iterate over');
      for await (const value of values) yield toValue(value);
    } catch (error) {
      throw toMethodFailure(this.#facts.name, method, error);
    }
  }

  close(): Promise<void> {
    this.#closed ??= disposeRunnable(this.#instance);
    return this.#closed;
  }

  #invoke(method: string, args: readonly RunnerValue[]): unknown {
    const body: unknown = Reflect.get(this.#instance, method);
    if (typeof body !== 'function') throw new TypeError(`the instance has no method '${method}'`);
    const result: unknown = Reflect.apply(body, this.#instance, args);
    return result;
  }
}

/** A model may throw errors of any code; to the arbiter they all mean that this worker cannot serve. */
function notLoaded({ name, runnable }: RunnerFacts, error: ServeError): ServeError {
  if (error.code === 'worker_not_ready') return error;
  const what = `runnable ${runnable.name} of runner '${name}' did not load`;
  return new ServeError('worker_not_ready', `${what}: ${error.message}`, {
    details: { runner: name },
    cause: error,
  });
}

/** What a method returned crosses unchecked: the wire refuses, by name, what it cannot carry. */
function toValue(value: unknown): RunnerValue {
  return value as RunnerValue;
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}
