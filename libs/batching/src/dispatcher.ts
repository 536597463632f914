import { ServeError } from '@bentots/errors';
import { admit } from './admission.js';
import { CostModel, type BatchCost } from './cost-model.js';
import {
  compileDispatcherOptions,
  type DispatcherConfig,
  type DispatcherOptions,
  type SubmitOptions,
} from './dispatcher-options.js';
import { Job, type Part } from './job.js';
import { PartQueue } from './part-queue.js';
import { decide, HOLD_SHARE } from './policy.js';
import { ReturnModel } from './return-model.js';
import { runApart } from './run-apart.js';

interface Flight<I, O> {
  readonly parts: readonly Part<I, O>[];
  readonly abort: AbortController;
}

interface Alarm {
  readonly at: number;
  cancel(): void;
}

/**
 * Holds requests just long enough to execute them together: first in, first out, at most `maxBatchSize` rows of one
 * kind at once, one batch at a time. It acts on events only (a request, the end of a batch, a timer that somebody in the queue
 * needs); an idle dispatcher does nothing at all. When to release a batch is decided in {@link decide}.
 */
export class Dispatcher<I, O> {
  readonly #config: DispatcherConfig<I, O>;
  readonly #queue = new PartQueue<I, O>();
  readonly #costs = new CostModel();
  readonly #returns = new ReturnModel();
  #flight: Flight<I, O> | undefined;
  #stepDeferred = false;
  #expiry: Alarm | undefined;
  #hold: Alarm | undefined;
  #closed: Promise<void> | undefined;
  #drained: (() => void) | undefined;

  /** @throws ServeError `invalid_option` naming the option. */
  constructor(options: DispatcherOptions<I, O>) {
    this.#config = compileDispatcherOptions(options);
  }

  /** Rows that wait, without those being executed. */
  get queuedRows(): number {
    return this.#queue.rows;
  }

  /** What a batch costs as far as it is known. */
  get cost(): BatchCost | undefined {
    return this.#costs.cost;
  }

  /**
   * Queues one request and answers with its output.
   *
   * Rejects with `overloaded` when the queue is full (`details.retryAfterMs` estimates when to come back) or when it
   * waited `maxLatencyMs`; `deadline_exceeded` and `cancelled` when nobody waits any more; `unavailable` after
   * {@link close}; else with what `execute` threw for it.
   */
  async submit(item: I, options: SubmitOptions = {}): Promise<O> {
    const job = this.#enter(item, options);
    const { signal } = options;
    if (signal === undefined) return job.answer;
    const onAbort = (): void => this.#drop(job, abortError(signal));
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await job.answer;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Takes no more requests; resolves when those that wait were executed. */
  close(): Promise<void> {
    if (this.#closed === undefined) {
      this.#closed = new Promise((resolve) => (this.#drained = resolve));
      this.#step();
    }
    return this.#closed;
  }

  #enter(item: I, { signal, deadline }: SubmitOptions): Job<I, O> {
    const { name, clock, maxLatencyMs, rowsOf, kindOf } = this.#config;
    if (this.#closed) throw new ServeError('unavailable', `'${name}' takes no more requests: it is stopping`);
    if (signal?.aborted === true) throw abortError(signal);
    const remainingMs = deadline === undefined ? Infinity : deadline - clock.epochNow();
    if (remainingMs <= 0) throw deadlineError(name);
    const items = this.#config.cut(item);
    this.#checkRoom(items.reduce((sum, piece) => sum + rowsOf(piece), 0));
    const now = clock.now();
    const job = new Job<I, O>({
      items,
      rowsOf,
      kindOf,
      join: (outputs) => this.#config.join(outputs),
      enqueuedAt: now,
      expiresAt: now + Math.min(remainingMs, maxLatencyMs),
      expired: () => (remainingMs <= maxLatencyMs ? deadlineError(name) : lateError(name, maxLatencyMs)),
    });
    for (const part of job.parts) this.#queue.push(part);
    this.#returns.arrived(now);
    this.#watchExpiry(job.expiresAt);
    this.#stepSoon();
    return job;
  }

  #checkRoom(rows: number): void {
    const { name, maxQueueRows, maxBatchSize } = this.#config;
    const queuedRows = this.#queue.rows;
    const admission = admit({ rows, queuedRows, maxQueueRows, maxBatchSize, cost: this.#costs.cost });
    if (admission.kind === 'admit') return;
    const { retryAfterMs } = admission;
    throw new ServeError(
      'overloaded',
      `the queue of '${name}' is full: ${queuedRows} of ${maxQueueRows} rows wait; try again in ${retryAfterMs} ms`,
      { details: { queuedRows, maxQueueRows, retryAfterMs } },
    );
  }

  /** Ends a request from outside: it leaves the queue, and a batch that nobody waits for is told so. */
  #drop(job: Job<I, O>, error: ServeError): void {
    job.fail(error);
    for (const part of job.parts) this.#queue.remove(part);
    if (this.#flight?.parts.every((part) => part.job.settled)) this.#flight.abort.abort(error);
    this.#rest();
  }

  #stepSoon(): void {
    if (this.#stepDeferred || this.#flight !== undefined) return;
    this.#stepDeferred = true;
    this.#config.clock.defer(() => {
      this.#stepDeferred = false;
      this.#step();
    });
  }

  /** Asks the policy, and does what it says. */
  #step(): void {
    this.#hold?.cancel();
    this.#hold = undefined;
    const { clock, maxBatchSize } = this.#config;
    // The loop may have been blocked past the alarm: nothing overdue gets into a batch.
    if (this.#expiry !== undefined && this.#expiry.at <= clock.now()) this.#expire();
    const decision = decide({
      now: clock.now(),
      inFlight: this.#flight !== undefined,
      queuedRows: this.#queue.rows,
      maxBatchSize,
      closing: this.#closed !== undefined,
      cost: this.#costs.cost,
      habit: this.#returns.habit,
      last: this.#returns.last,
    });
    if (decision.kind === 'dispatch') void this.#fly(this.#queue.take(decision.maxRows));
    if (decision.kind === 'wait') this.#hold = this.#alarm(decision.until, () => this.#step());
    this.#rest();
  }

  async #fly(parts: readonly Part<I, O>[]): Promise<void> {
    const { clock, onBatch } = this.#config;
    const flight: Flight<I, O> = { parts, abort: new AbortController() };
    const rows = parts.reduce((sum, part) => sum + part.rows, 0);
    const startedAt = clock.now();
    const waitMs = startedAt - (parts[0]?.job.enqueuedAt ?? startedAt);
    this.#flight = flight;
    const succeeded = await this.#execute(flight);
    this.#flight = undefined;
    const now = clock.now();
    const executeMs = now - startedAt;
    // The time of a batch that was tried apart says nothing about the cost of its rows.
    if (succeeded) this.#costs.observe(rows, executeMs);
    const requests = new Set(parts.map((part) => part.job)).size;
    this.#returns.answered(now, requests, HOLD_SHARE * (this.#costs.cost?.fixedMs ?? 0));
    onBatch({ rows, requests, waitMs, executeMs });
    this.#stepSoon();
  }

  #execute({ parts, abort }: Flight<I, O>): Promise<boolean> {
    return runApart<Part<I, O>, O>(parts, {
      execute: (members) =>
        this.#config.execute(
          members.map((part) => part.item),
          abort.signal,
        ),
      isAwaited: (part) => !part.job.settled,
      complete: (part, output) => part.job.complete(part, output),
      fail: (part, error) => {
        part.job.fail(error);
        for (const sibling of part.job.parts) this.#queue.remove(sibling);
      },
      pause: () => new Promise((resolve) => this.#config.clock.defer(resolve)),
    });
  }

  #watchExpiry(at: number): void {
    if (this.#expiry !== undefined && this.#expiry.at <= at) return;
    this.#expiry?.cancel();
    this.#expiry = this.#alarm(at, () => this.#expire());
  }

  /** Ends what waited too long, and sets the alarm for the next that could. A timer may ring a little early. */
  #expire(): void {
    this.#expiry?.cancel();
    this.#expiry = undefined;
    const now = this.#config.clock.now();
    const waiting = new Set([...this.#queue].map((part) => part.job));
    for (const job of waiting) {
      if (job.expiresAt <= now) this.#drop(job, job.expired());
      else this.#watchExpiry(job.expiresAt);
    }
  }

  /** Nothing waits: no timer is left behind, and a close that waited for this is over. */
  #rest(): void {
    if (this.#queue.rows > 0) return;
    this.#expiry?.cancel();
    this.#hold?.cancel();
    this.#expiry = this.#hold = undefined;
    if (this.#flight === undefined) this.#drained?.();
  }

  #alarm(at: number, fn: () => void): Alarm {
    const { clock } = this.#config;
    return { at, cancel: clock.after(Math.max(0, at - clock.now()), fn) };
  }
}

function abortError(signal: AbortSignal): ServeError {
  const { reason }: { reason: unknown } = signal;
  const error = ServeError.from(reason);
  // Whoever aborts with words of their own still means: the caller went away.
  return error.code === 'internal'
    ? new ServeError('cancelled', 'the caller went away', { cause: reason })
    : error;
}

function deadlineError(name: string): ServeError {
  return new ServeError(
    'deadline_exceeded',
    `the time for the request was over before '${name}' could run it`,
  );
}

function lateError(name: string, maxLatencyMs: number): ServeError {
  return new ServeError(
    'overloaded',
    `the request waited ${maxLatencyMs} ms for '${name}', its longest latency`,
    {
      details: { maxLatencyMs },
    },
  );
}
