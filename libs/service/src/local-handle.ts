import { ServeError } from '@bentots/errors';
import { createRunnable, disposeRunnable } from './create-runnable.js';
import { beforeEnd } from './before-end.js';
import type { HandleCallOptions, RunnerHandle } from './runner-handle.js';
import type { RunnerFacts } from './runner.js';
import { toMethodFailure } from './to-method-failure.js';
import type { RunnerValue } from './values.js';

/**
 * Constructs the runnable in this process and returns a handle to it: for embedded runners and for tests of services.
 * Calls are made at once, never batched. A caller whose time is over stops waiting; the runnable is not interrupted.
 */
export async function createLocalHandle(facts: RunnerFacts): Promise<RunnerHandle> {
  return new LocalHandle(facts, await createRunnable(facts));
}

class LocalHandle implements RunnerHandle {
  readonly #facts: RunnerFacts;
  readonly #instance: object;
  #closing: Promise<void> | undefined;

  constructor(facts: RunnerFacts, instance: object) {
    this.#facts = facts;
    this.#instance = instance;
  }

  async run(method: string, args: readonly RunnerValue[], options: HandleCallOptions): Promise<RunnerValue> {
    this.#check(method, false);
    return beforeEnd(options, () => this.#call(method, args));
  }

  async *stream(
    method: string,
    args: readonly RunnerValue[],
    options: HandleCallOptions,
  ): AsyncGenerator<RunnerValue> {
    this.#check(method, true);
    const called = this.#invoke(method, args);
    if (!isAsyncIterable(called)) {
      throw toMethodFailure(this.#facts.name, method, new TypeError('it returned no async iterable'));
    }
    const iterator = called[Symbol.asyncIterator]();
    let finished = false;
    try {
      for (;;) {
        const next = await beforeEnd(options, () => this.#guard(method, () => iterator.next()));
        if (next.done === true) {
          finished = true;
          return;
        }
        yield next.value;
      }
    } finally {
      // Not awaited: a generator that still works on its next value would hold back the caller.
      if (!finished) iterator.return?.().catch(() => undefined);
    }
  }

  isReady(): Promise<boolean> {
    return Promise.resolve(this.#closing === undefined);
  }

  close(): Promise<void> {
    this.#closing ??= disposeRunnable(this.#instance);
    return this.#closing;
  }

  #check(method: string, stream: boolean): void {
    const spec = this.#facts.methods.get(method);
    const runner = `runner '${this.#facts.name}'`;
    if (this.#closing !== undefined) throw new ServeError('unavailable', `${runner} is closed`);
    if (spec === undefined) {
      const known = [...this.#facts.methods.keys()].join(', ');
      throw new ServeError('not_found', `${runner} has no method '${method}'; it has ${known}`);
    }
    if (spec.stream !== stream) {
      const hint = spec.stream ? 'streams: call it with stream()' : 'answers once: call it with run()';
      throw new ServeError('invalid_argument', `method '${method}' of ${runner} ${hint}`);
    }
  }

  #call(method: string, args: readonly RunnerValue[]): Promise<RunnerValue> {
    return this.#guard(method, () => this.#invoke(method, args));
  }

  /** `async`, so that what a synchronous method throws is a rejection too. */
  async #guard<T>(method: string, fn: () => T | Promise<T>): Promise<T> {
    try {
      return await fn();
    } catch (error) {
      throw toMethodFailure(this.#facts.name, method, error);
    }
  }

  /** The instance's methods carry no types here; the caller's handle has them. */
  #invoke(method: string, args: readonly RunnerValue[]): RunnerValue {
    return Reflect.apply(Reflect.get(this.#instance, method), this.#instance, args) as RunnerValue;
  }
}

function isAsyncIterable(value: unknown): value is AsyncIterable<RunnerValue> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}
