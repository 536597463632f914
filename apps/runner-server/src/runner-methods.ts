import type { BatchFacts } from '@bentots/batching';
import { httpStatusOf, ServeError } from '@bentots/errors';
import type { RunnerFacts, RunnerMethodSpec, RunnerValue } from '@bentots/service';
import type { RunnerMetrics } from '@bentots/telemetry';
import { BatchedMethod } from './batched-method.js';
import { limitCall, type MethodCall, untilAborted } from './method-call.js';
import type { RunnableHost } from './runnable-host.js';

/** What {@link RunnerMethods} is made of. */
export interface RunnerMethodsInit {
  readonly facts: RunnerFacts;
  readonly host: RunnableHost;
  readonly metrics: RunnerMetrics;
  /** Upper bound of every call; undefined: the callers' own. */
  readonly timeoutMs: number | undefined;
  /** A call was answered, well or not. */
  onCallEnd?(): void;
  /** A batch was run; its oldest call had waited so long. */
  onQueueDelay?(waitMs: number): void;
}

/** The methods of one runner, as every door calls them: batched where they are batchable, limited in time, counted. */
export class RunnerMethods {
  readonly #init: RunnerMethodsInit;
  readonly #batched: ReadonlyMap<string, BatchedMethod>;
  readonly #running = new Set<Promise<unknown>>();
  #closed: Promise<void> | undefined;

  constructor(init: RunnerMethodsInit) {
    const { facts, host, metrics } = init;
    this.#init = init;
    this.#batched = new Map(
      [...facts.methods]
        .filter(([, spec]) => spec.batchable)
        .map(([method, spec]) => {
          const onBatch = ({ rows, waitMs }: BatchFacts): void => {
            metrics.batch(method, rows);
            init.onQueueDelay?.(waitMs);
          };
          return [method, new BatchedMethod({ runner: facts.name, method, spec, host, onBatch })];
        }),
    );
  }

  /** @throws ServeError `not_found` naming the methods there are. */
  specOf(method: string): RunnerMethodSpec {
    const { name, methods } = this.#init.facts;
    const spec = methods.get(method);
    if (spec !== undefined) return spec;
    const available = [...methods.keys()];
    throw new ServeError(
      'not_found',
      `runner '${name}' has no method '${method}'; available: ${available.join(', ')}`,
      { details: { runner: name, method, available } },
    );
  }

  /** Calls a method that answers once. */
  run(call: MethodCall): Promise<RunnerValue> {
    return this.#track(this.#count(call, () => this.#runOnce(call)));
  }

  /**
   * Calls a method that streams: `take` gets value after value, and the next one is asked for when it resolves. The
   * generator is ended when the call is.
   */
  stream(call: MethodCall, take: (value: RunnerValue) => Promise<void>): Promise<void> {
    return this.#track(this.#count(call, () => this.#pump(call, take)));
  }

  /** Runs what was taken in, and takes no more. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#batched.values()].map((method) => method.close()));
    await Promise.allSettled(this.#running);
  }

  async #runOnce(call: MethodCall): Promise<RunnerValue> {
    const { facts, host, timeoutMs } = this.#init;
    this.#check(call.method, false);
    const end = limitCall(call, timeoutMs ?? facts.timeoutMs);
    try {
      const batched = this.#batched.get(call.method);
      if (batched !== undefined) return await batched.run(call.args, end);
      const context = { signal: end.signal, deadline: end.deadline, traceparent: call.traceparent };
      return await untilAborted(end.signal, host.call(call.method, call.args, context));
    } finally {
      end.release();
    }
  }

  async #pump(call: MethodCall, take: (value: RunnerValue) => Promise<void>): Promise<void> {
    const { facts, host, timeoutMs } = this.#init;
    this.#check(call.method, true);
    const end = limitCall(call, timeoutMs ?? facts.timeoutMs);
    const context = { signal: end.signal, deadline: end.deadline, traceparent: call.traceparent };
    const values = host.stream(call.method, call.args, context);
    try {
      for (;;) {
        const next = await untilAborted(end.signal, values.next());
        if (next.done === true) return;
        await untilAborted(end.signal, take(next.value));
      }
    } finally {
      end.release();
      // Not awaited: a generator at work on its next value would hold back the answer.
      values.return?.().catch(() => undefined);
    }
  }

  #check(method: string, stream: boolean): void {
    const { name } = this.#init.facts;
    if (this.#closed)
      throw new ServeError('unavailable', `runner '${name}' takes no more calls: it is stopping`);
    if (this.specOf(method).stream === stream) return;
    const hint = stream
      ? 'answers once; it cannot be streamed'
      : 'streams; it cannot be called for one answer';
    throw new ServeError('invalid_argument', `method '${method}' of runner '${name}' ${hint}`);
  }

  /** Only methods that exist are counted: names from outside must not become labels. */
  async #count<T>({ method }: MethodCall, work: () => Promise<T>): Promise<T> {
    this.specOf(method);
    const end = this.#init.metrics.begin(method);
    try {
      const result = await work();
      end(200);
      return result;
    } catch (error) {
      end(httpStatusOf(ServeError.from(error).code));
      throw error;
    }
  }

  #track<T>(work: Promise<T>): Promise<T> {
    this.#running.add(work);
    const done = (): void => {
      this.#running.delete(work);
      this.#init.onCallEnd?.();
    };
    work.then(done, done);
    return work;
  }
}
