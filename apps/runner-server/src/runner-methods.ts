import type { BatchFacts, RefusalReason } from '@bentots/batching';
import { httpStatusOf, ServeError } from '@bentots/errors';
import type { RunnerMethodSpec, RunnerValue } from '@bentots/service';
import type { RunnerMetrics } from '@bentots/telemetry';
import { limitCall, type MethodCall } from './method-call.js';
import { createBatchQueue, createSingleQueue, type MethodQueue, type TakeValue } from './method-queue.js';
import type { RunnerWorker, RunnerWorkers } from './runner-workers.js';

/** What is known of a runner where its model is not. */
export interface CallableRunner {
  readonly name: string;
  readonly methods: ReadonlyMap<string, RunnerMethodSpec>;
  readonly timeoutMs?: number | undefined;
}

/** What {@link RunnerMethods} is made of. */
export interface RunnerMethodsInit {
  readonly runner: CallableRunner;
  readonly workers: Pick<RunnerWorkers, 'poolOf'>;
  readonly metrics: RunnerMetrics;
  /** Upper bound of every call; undefined: the callers' own. */
  readonly timeoutMs: number | undefined;
  /** Why no call is taken at present, in words; undefined: calls are taken. */
  whyRefused?(): string | undefined;
  /** A batch was run; its oldest call had waited so long. */
  onQueueDelay?(waitMs: number): void;
}

/** The methods of one runner, as every door calls them: queued for its workers, limited in time, counted. */
export class RunnerMethods {
  readonly #init: RunnerMethodsInit;
  readonly #queues: ReadonlyMap<string, MethodQueue>;
  readonly #running = new Set<Promise<unknown>>();
  #closed: Promise<void> | undefined;

  constructor(init: RunnerMethodsInit) {
    this.#init = init;
    const { name, methods } = init.runner;
    this.#queues = new Map(
      [...methods].map(([method, spec]) => {
        const create = spec.batchable ? createBatchQueue : createSingleQueue;
        const queue = create({
          runner: name,
          method,
          spec,
          workers: init.workers.poolOf(method, spec),
          onBatch: (facts) => this.#onBatch(method, spec, facts),
          onRefused: (reason: RefusalReason) => init.metrics.refused(method, reason),
        });
        init.metrics.watchQueue(method, queue.dispatcher);
        return [method, queue];
      }),
    );
  }

  /** A worker may be free: the queue whose first call has waited longest looks first. */
  wake(): void {
    const waiting = [...this.#queues.values()]
      .map(({ dispatcher }) => dispatcher)
      .filter(({ queuedRows }) => queuedRows > 0);
    if (waiting.length > 1) waiting.sort((a, b) => (a.oldestSince ?? 0) - (b.oldestSince ?? 0));
    for (const dispatcher of waiting) dispatcher.wake();
  }

  /** @throws ServeError `not_found` naming the methods there are. */
  specOf(method: string): RunnerMethodSpec {
    const { name, methods } = this.#init.runner;
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
    return this.#track(this.#count(call, () => this.#queue(call)));
  }

  /**
   * Calls a method that streams: `take` gets value after value, and the next one is asked for when it resolves. The
   * generator is ended when the call is.
   */
  async stream(call: MethodCall, take: TakeValue): Promise<void> {
    await this.#track(this.#count(call, () => this.#queue(call, take)));
  }

  /** Runs what was taken in, and takes no more. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#queues.values()].map(({ dispatcher }) => dispatcher.close()));
    await Promise.allSettled(this.#running);
  }

  async #queue(call: MethodCall, take?: TakeValue): Promise<RunnerValue> {
    const { runner, timeoutMs } = this.#init;
    const queue = this.#check(call.method, take !== undefined);
    const end = limitCall(call, timeoutMs ?? runner.timeoutMs);
    try {
      return await queue.run(call, end, take);
    } catch (error) {
      throw end.explain(error);
    } finally {
      end.release();
    }
  }

  #check(method: string, stream: boolean): MethodQueue {
    const { runner, whyRefused } = this.#init;
    if (this.#closed)
      throw new ServeError('unavailable', `runner '${runner.name}' takes no more calls: it is stopping`);
    const isStream = this.specOf(method).stream;
    const queue = this.#queues.get(method);
    if (queue === undefined || isStream !== stream) {
      const hint = stream
        ? 'answers once; it cannot be streamed'
        : 'streams; it cannot be called for one answer';
      throw new ServeError('invalid_argument', `method '${method}' of runner '${runner.name}' ${hint}`);
    }
    const refusal = whyRefused?.();
    if (refusal !== undefined) throw new ServeError('unavailable', refusal);
    return queue;
  }

  #onBatch(method: string, spec: RunnerMethodSpec, facts: BatchFacts<RunnerWorker>): void {
    this.#init.metrics.batch(method, { ...facts, worker: facts.worker.id, isBatch: spec.batchable });
    this.#init.onQueueDelay?.(facts.waitMs);
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
    const done = (): void => void this.#running.delete(work);
    work.then(done, done);
    return work;
  }
}
