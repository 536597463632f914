import { type CallContext, type CallWatch, currentCallContext } from './call-context.js';
import type { HandleCallOptions, RunnerHandle } from './runner-handle.js';
import type { RunnerValue } from './values.js';

/** What one call may ask for; it can only shorten what the request already allows. */
export interface CallOptions {
  /** Aborts this call, beside the request's own signal. */
  readonly signal?: AbortSignal | undefined;
  /** Time for this call in milliseconds; the shortest of this, the runner's and the request's counts. */
  readonly timeoutMs?: number | undefined;
}

/** A runner's method that answers once. */
export interface UnaryMethod<A extends unknown[], R> {
  /** Calls the method in the runner's process. Fails with a ServeError. */
  run(...args: A): Promise<R>;
  /** The same method with options for its calls. */
  with(options: CallOptions): UnaryMethod<A, R>;
}

/** A runner's method that answers piece by piece. */
export interface StreamMethod<A extends unknown[], Y> {
  /** Calls the method; leaving the loop early cancels it in the runner. Fails with a ServeError. */
  stream(...args: A): AsyncIterable<Y>;
  /** The same method with options for its calls. */
  with(options: CallOptions): StreamMethod<A, Y>;
}

/** How a method of a runnable is called through its runner: `stream` for `async *` methods, `run` for all others. */
export type RunnerMethod<F> = F extends (...args: infer A) => infer R
  ? IsStream<R> extends true
    ? StreamMethod<A, R extends AsyncIterable<infer Y> ? Y : never>
    : UnaryMethod<A, Awaited<R>>
  : never;

/** `never` (a method that only throws) and `any` would pass for everything, streams among it. */
type IsStream<R> = [R] extends [never]
  ? false
  : 0 extends 1 & R
    ? false
    : R extends AsyncIterable<unknown>
      ? true
      : false;

/** What a bound method needs to know of its runner. */
export interface MethodTarget {
  readonly name: string;
  readonly timeoutMs?: number | undefined;
  handle(): RunnerHandle;
}

/** The body of {@link RunnerMethod}: joins the request's context with the call's options, and calls the handle. */
export class BoundMethod {
  readonly #target: MethodTarget;
  readonly #name: string;
  readonly #idempotent: boolean;
  readonly #options: CallOptions;
  readonly #plain: HandleCallOptions;

  constructor(target: MethodTarget, name: string, idempotent: boolean, options: CallOptions = {}) {
    this.#target = target;
    this.#name = name;
    this.#idempotent = idempotent;
    this.#options = options;
    this.#plain = { signal: options.signal, deadline: undefined, traceparent: undefined, idempotent };
  }

  // Not `async`: it would add a promise to every call of the hot path.
  run(...args: RunnerValue[]): Promise<RunnerValue> {
    try {
      const handle = this.#target.handle();
      const context = currentCallContext();
      const watch = context?.observer?.begin(this.#target.name, this.#name);
      const answer = handle.run(this.#name, args, this.#callOptions(context, watch));
      if (watch !== undefined) tellEnd(answer, watch);
      return answer;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  stream(...args: RunnerValue[]): AsyncIterable<RunnerValue> {
    return this.#target.handle().stream(this.#name, args, this.#callOptions(currentCallContext()));
  }

  with(options: CallOptions): BoundMethod {
    const merged = {
      signal: joinSignals(this.#options.signal, options.signal),
      timeoutMs: shorter(this.#options.timeoutMs, options.timeoutMs),
    };
    return new BoundMethod(this.#target, this.#name, this.#idempotent, merged);
  }

  #callOptions(context: CallContext | undefined, watch?: CallWatch): HandleCallOptions {
    const timeoutMs = shorter(this.#options.timeoutMs, this.#target.timeoutMs);
    if (context === undefined && timeoutMs === undefined) return this.#plain;
    return {
      signal: joinSignals(context?.signal, this.#options.signal),
      deadline: shorter(context?.deadline, timeoutMs === undefined ? undefined : Date.now() + timeoutMs),
      traceparent: context?.traceparent,
      idempotent: this.#idempotent,
      priority: context?.priority,
      onTiming: watch && ((timing) => watch.timed(timing)),
    };
  }
}

/** Beside the answer, not between it and its caller: that would cost the caller a turn of the microtask queue. */
function tellEnd(answer: Promise<RunnerValue>, watch: CallWatch): void {
  const end = (): void => watch.ended();
  answer.then(end, end);
}

function shorter(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined) return b;
  return b === undefined ? a : Math.min(a, b);
}

function joinSignals(a: AbortSignal | undefined, b: AbortSignal | undefined): AbortSignal | undefined {
  if (a === undefined || a === b) return b;
  return b === undefined ? a : AbortSignal.any([a, b]);
}
