import { admit, type Ahead, isInVain, predict, UNKNOWN_RETRY_MS } from './admission.js';
import { Alarm } from './alarm.js';
import { CostModel, type BatchCost } from './cost-model.js';
import {
  compileDispatcherOptions,
  type DispatcherConfig,
  type DispatcherOptions,
  type SubmitOptions,
} from './dispatcher-options.js';
import { Flights } from './flights.js';
import { Forecast } from './forecast.js';
import { type Answer, Job, type Part, type Priority, sumRows } from './job.js';
import { PartQueue } from './part-queue.js';
import { type Decision, decide, type Dispatch, HOLD_SHARE, type ReleaseReason } from './policy.js';
import {
  type Refusal,
  refuseAborted,
  refuseClosing,
  refuseExpired,
  refuseLate,
  refuseTooLate,
} from './refusals.js';
import { ReturnModel } from './return-model.js';
import { BusyMeter, type Moment } from './timing.js';

/** Between two looks through the whole queue for requests that are overdue. No batch takes one in any case. */
const EXPIRY_GRAIN_MS = 2;

/**
 * Holds requests just long enough to execute them together: by priority, then first in, first out, at most
 * `maxBatchSize` rows of one kind at once, and as many batches at once as there are workers. It acts on events only (a
 * request, the end of a batch, a word about the workers, a timer that somebody in the queue needs); an idle dispatcher
 * does nothing at all. When to release a batch is decided in {@link decide}.
 */
export class Dispatcher<I, O, W = undefined> {
  readonly #config: DispatcherConfig<I, O, W>;
  readonly #queue = new PartQueue<I, O>();
  readonly #costs = new CostModel();
  readonly #returns = new ReturnModel();
  readonly #forecast: Forecast;
  readonly #busy = new BusyMeter();
  readonly #flights: Flights<I, O, W>;
  readonly #expiry: Alarm;
  readonly #hold: Alarm;
  #arrivals = 0;
  #isHeld = false;
  #stepDeferred = false;
  #closed: Promise<void> | undefined;
  #drained: (() => void) | undefined;

  /** @throws ServeError `invalid_option` naming the option. */
  constructor(options: DispatcherOptions<I, O, W>) {
    this.#config = compileDispatcherOptions(options);
    const { clock, maxBatchSize } = this.#config;
    this.#forecast = new Forecast(maxBatchSize);
    this.#expiry = new Alarm(clock, () => this.#expire());
    this.#hold = new Alarm(clock, () => this.#step());
    this.#flights = new Flights(this.#config, {
      moment: () => this.#look(),
      putBack: (part) => this.#putBack(part),
      fail: (part, error) => this.#fail(part.job, error),
    });
  }

  /** Rows that wait, without those being executed. */
  get queuedRows(): number {
    return this.#queue.rows;
  }

  /** Bytes that wait, without those being executed. */
  get queuedBytes(): number {
    return this.#queue.bytes;
  }

  /** Since when, on its clock, the request waits that goes next; undefined when none does. */
  get oldestSince(): number | undefined {
    return this.#queue.head?.job.arrived.now;
  }

  /** What a batch costs as far as it is known. */
  get cost(): BatchCost | undefined {
    return this.#costs.cost;
  }

  /**
   * Queues one request and answers with its output, and with where its time went.
   *
   * Rejects with `overloaded` when the queue is full or an answer is expected too late (`details.retryAfterMs` estimates
   * when to come back), or when it waited `maxLatencyMs`; `deadline_exceeded` and `cancelled` when nobody waits any more; `unavailable` after
   * {@link close}; else with what `execute` threw for it.
   */
  async submit(item: I, options: SubmitOptions = {}): Promise<Answer<O>> {
    const job = this.#enter(item, options);
    const { signal } = options;
    if (signal === undefined) return job.answer;
    const onAbort = (): void => {
      this.#drop(job, refuseAborted(signal));
      this.#rest();
    };
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await job.answer;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** A worker became free, came or went: looks again, soon. */
  wake(): void {
    this.#look();
    this.#stepSoon();
  }

  /** Takes no more requests; resolves when those that wait were executed. */
  close(): Promise<void> {
    if (this.#closed === undefined) {
      this.#closed = new Promise((resolve) => (this.#drained = resolve));
      this.#step();
    }
    return this.#closed;
  }

  #enter(item: I, { signal, deadline, priority = 'normal' }: SubmitOptions): Job<I, O> {
    const { name, clock, maxLatencyMs, rowsOf, bytesOf, kindOf } = this.#config;
    const rows = rowsOf(item);
    if (this.#closed) throw this.#refuse(refuseClosing(name), rows);
    if (signal?.aborted === true) throw this.#refuse(refuseAborted(signal), rows);
    const remainingMs = deadline === undefined ? Infinity : deadline - clock.epochNow();
    if (remainingMs <= 0) throw this.#refuse(refuseExpired(name), rows);
    const arrived = this.#look();
    const isIdle = this.#queue.rows === 0 && this.#flights.size === 0;
    const ahead = this.#lookAhead(arrived.now, priority);
    const refusal = admit(name, {
      rows,
      bytes: bytesOf(item),
      queuedRows: this.#queue.rows,
      queuedBytes: this.#queue.bytes,
      maxQueueRows: this.#config.maxQueueRows,
      maxQueueBytes: this.#config.maxQueueBytes,
      isIdle,
      deadlineMs: remainingMs,
      maxLatencyMs,
      ahead,
    });
    if (refusal !== undefined) throw this.#refuse(refusal, rows);
    const job = new Job<I, O>({
      items: this.#config.cut(item),
      rowsOf,
      bytesOf,
      kindOf,
      join: (outputs) => this.#config.join(outputs),
      order: this.#arrivals,
      priority,
      arrived,
      deadlineAt: arrived.now + remainingMs,
      waitUntil: arrived.now + maxLatencyMs,
      isPredicted: !isIdle && predict(rows, ahead) !== undefined,
    });
    this.#arrivals += 1;
    for (const part of job.parts) this.#queue.push(part);
    this.#returns.arrived(arrived.now);
    this.#watchExpiry(job.expiresAt);
    this.#stepSoon();
    return job;
  }

  #lookAhead(now: number, priority: Priority): Ahead {
    const { workers } = this.#config;
    const { fullRows, usualRows, caution, certainty } = this.#forecast;
    return {
      rows: this.#queue.rowsBefore(priority),
      freeInMs: workers.free > 0 ? 0 : this.#flights.freeInMs(now),
      workers: workers.size,
      fullRows,
      usualRows,
      cost: this.#costs.cost,
      caution,
      certainty,
    };
  }

  #refuse({ reason, error }: Refusal, rows: number): Error {
    this.#config.onRefused(reason, rows);
    return error;
  }

  /** Ends a request from outside: it leaves the queue, and a batch that nobody waits for is told so. */
  #drop(job: Job<I, O>, refusal: Refusal): void {
    const rows = sumRows(job.parts.filter((part) => part.isQueued));
    if (rows > 0) {
      this.#refuse(refusal, rows);
      if (refusal.reason !== 'cancelled' && job.isPredicted) this.#forecast.missed();
    }
    this.#fail(job, refusal.error);
    this.#flights.abortUnawaited(refusal.error);
  }

  #fail(job: Job<I, O>, error: unknown): void {
    job.fail(error);
    for (const part of job.parts) this.#queue.remove(part);
    // Its other parts may be running elsewhere.
    if (job.parts.length > 1) this.#flights.abortUnawaited(error);
  }

  #putBack(part: Part<I, O>): void {
    this.#queue.putBack(part);
    this.#watchExpiry(part.job.expiresAt);
  }

  /** Reads the time, and notes whether a worker is free. */
  #look(): Moment {
    const { clock, workers } = this.#config;
    return this.#busy.observe(clock.now(), workers.free > 0);
  }

  #stepSoon(): void {
    // While no worker is free there is nothing to decide: the end of a batch, or the pool, will ask again.
    if (this.#stepDeferred || this.#queue.rows === 0 || this.#config.workers.free === 0) return;
    this.#stepDeferred = true;
    this.#config.clock.defer(() => {
      this.#stepDeferred = false;
      this.#step();
    });
  }

  /** Asks the policy, and does what it says, until it has no more to say. */
  #step(): void {
    this.#hold.unset();
    for (;;) {
      const at = this.#look();
      const decision = this.#decide(at.now);
      if (decision.kind === 'wait') this.#hold.set(decision.until);
      this.#isHeld = decision.kind === 'wait';
      if (decision.kind !== 'dispatch') break;
      this.#release(decision, at);
    }
    this.#rest();
  }

  /** Begins a batch with what goes next, without those that nobody could be answered in time. */
  #release({ maxRows, reason }: Dispatch, at: Moment): void {
    const { cost } = this.#costs;
    const model = { cost, certainty: this.#forecast.certainty };
    const { taken, late } = this.#queue.take(maxRows, (part) => isInVain(part, at.now, model));
    for (const { job } of late) this.#drop(job, this.#overdue(job, at.now));
    // A sibling that is larger may have been too late where this part was not.
    const parts = taken.filter((part) => !part.job.settled);
    if (parts.length === 0) return;
    this.#forecast.released(sumRows(parts), reason === 'full' && maxRows === this.#config.maxBatchSize);
    void this.#fly(parts, reason, at);
  }

  #decide(now: number): Decision {
    const { maxBatchSize, workers } = this.#config;
    return decide({
      now,
      freeWorkers: workers.free,
      workers: workers.size,
      queuedRows: this.#queue.rows,
      flyingRows: this.#flights.rows,
      maxBatchSize,
      closing: this.#closed !== undefined,
      held: this.#isHeld,
      cost: this.#costs.cost,
      habit: this.#returns.habit,
      last: this.#returns.last,
    });
  }

  async #fly(parts: readonly Part<I, O>[], reason: ReleaseReason, at: Moment): Promise<void> {
    const landing = await this.#flights.fly(parts, { reason, at, cost: this.cost });
    const { answered, facts, succeeded, hasMissed } = landing;
    if (hasMissed) this.#forecast.missed();
    this.#forecast.landed(facts.executeMs, succeeded ? facts.expectedMs : undefined);
    // The time of a batch that was tried apart says nothing about the cost of its rows.
    if (succeeded) this.#costs.observe(facts.rows, facts.executeMs);
    const { now } = this.#look();
    if (answered > 0) this.#returns.answered(now, answered, HOLD_SHARE * (this.cost?.fixedMs ?? 0));
    this.#config.onBatch(facts);
    this.#rest();
    this.#stepSoon();
  }

  #overdue(job: Job<I, O>, now: number): Refusal {
    const { name, maxLatencyMs } = this.#config;
    const isExpired = job.expiresAt <= now;
    if (isExpired && job.deadlineAt <= job.waitUntil) return refuseExpired(name);
    // What is queued now is done by then.
    const { waitMs } = predict(1, this.#lookAhead(now, 'low')) ?? { waitMs: UNKNOWN_RETRY_MS };
    const retryAfterMs = Math.max(1, Math.ceil(waitMs));
    if (isExpired) return refuseLate(name, maxLatencyMs, retryAfterMs);
    return refuseTooLate(name, job.deadlineAt - now, retryAfterMs);
  }

  #watchExpiry(at: number): void {
    if (at < this.#expiry.at) this.#expiry.set(at);
  }

  /** Ends what waited too long, and sets the alarm for the next that could. A timer may ring a little early. */
  #expire(): void {
    const now = this.#config.clock.now();
    const overdue = new Set<Job<I, O>>();
    let next = Infinity;
    for (const { job } of this.#queue) {
      if (job.expiresAt <= now) overdue.add(job);
      else next = Math.min(next, job.expiresAt);
    }
    for (const job of overdue) this.#drop(job, this.#overdue(job, now));
    if (next < Infinity) this.#watchExpiry(Math.max(next, now + EXPIRY_GRAIN_MS));
    this.#rest();
  }

  /** Nothing waits: no timer is left behind, and a close that waited for this is over. */
  #rest(): void {
    if (this.#queue.rows > 0) return;
    this.#expiry.unset();
    this.#hold.unset();
    this.#isHeld = false;
    if (this.#flights.size === 0) this.#drained?.();
  }
}
