import { type BatchCost, estimateBatchMs } from './cost-model.js';
import type { BatchFacts, DispatcherConfig } from './dispatcher-options.js';
import { type Part, sumRows } from './job.js';
import type { ReleaseReason } from './policy.js';
import { runApart } from './run-apart.js';
import type { Moment } from './timing.js';

/** After so many workers that did not start it, a request fails with what the last of them said. */
const MAX_NOT_STARTED = 8;

/** What flights ask of the dispatcher that owns them. */
export interface FlightsOwner<I, O> {
  /** Reads the time. */
  moment(): Moment;
  /** The part is to be run again: it takes its old place in the queue. */
  putBack(part: Part<I, O>): void;
  /** The part failed, and with it its request. */
  fail(part: Part<I, O>, error: unknown): void;
}

/** How a batch was released. */
export interface Release {
  readonly reason: ReleaseReason;
  readonly at: Moment;
  readonly cost: BatchCost | undefined;
}

/** How a batch ended. */
export interface Landing<W> {
  readonly facts: BatchFacts<W>;
  /** Requests that have their answer now, good or bad. */
  readonly answered: number;
  /** All of it succeeded, and at once. */
  readonly succeeded: boolean;
  /** A request was answered after its deadline, though it had been predicted to be in time. */
  readonly hasMissed: boolean;
}

interface Flight<I, O, W> {
  readonly parts: readonly Part<I, O>[];
  readonly rows: number;
  readonly worker: W;
  readonly abort: AbortController;
  readonly startedAt: number;
  readonly expectedMs: number | undefined;
  /** When its last execution ended. */
  at: Moment;
}

/** The batches that are being executed, each on a worker of its own. */
export class Flights<I, O, W> {
  readonly #config: DispatcherConfig<I, O, W>;
  readonly #owner: FlightsOwner<I, O>;
  readonly #flights = new Set<Flight<I, O, W>>();
  #rows = 0;

  constructor(config: DispatcherConfig<I, O, W>, owner: FlightsOwner<I, O>) {
    this.#config = config;
    this.#owner = owner;
  }

  get size(): number {
    return this.#flights.size;
  }

  /** Rows of all that is being executed. */
  get rows(): number {
    return this.#rows;
  }

  /** Takes a free worker and executes `parts` on it; never rejects. */
  async fly(parts: readonly Part<I, O>[], { reason, at, cost }: Release): Promise<Landing<W>> {
    const { workers } = this.#config;
    // It was seen that one is free; and undefined may be what a worker is.
    const worker = workers.take() as W;
    const rows = sumRows(parts);
    const expectedMs = cost === undefined ? undefined : estimateBatchMs(cost, rows);
    const abort = new AbortController();
    const flight: Flight<I, O, W> = { parts, rows, worker, abort, startedAt: at.now, expectedMs, at };
    const jobs = new Set(parts.map((part) => part.job));
    const oldest = [...jobs].reduce((a, b) => (b.arrived.now < a.arrived.now ? b : a)).arrived;
    const waitMs = at.now - oldest.now;
    this.#flights.add(flight);
    this.#rows += rows;
    for (const part of parts) part.job.clock.started(at);
    const succeeded = await this.#run(flight);
    this.#flights.delete(flight);
    this.#rows -= rows;
    const executeMs = this.#owner.moment().now - at.now;
    workers.release(worker);
    const facts: BatchFacts<W> = {
      rows,
      requests: jobs.size,
      waitMs,
      holdMs: waitMs - (at.busyMs - oldest.busyMs),
      executeMs,
      reason,
      expectedMs,
      worker,
    };
    const settled = [...jobs].filter((job) => job.settled);
    const hasMissed = settled.some((job) => job.isPredicted && job.deadlineAt < flight.at.now);
    return { facts, answered: settled.length, succeeded, hasMissed };
  }

  /**
   * How long until the first of the batches ends, as expected. One that is overdue is expected to take as long again
   * as it is overdue: what hangs is not about to end.
   */
  freeInMs(now: number): number {
    let first = Infinity;
    for (const { startedAt, expectedMs = 0 } of this.#flights) {
      first = Math.min(first, Math.abs(startedAt + expectedMs - now));
    }
    return this.#flights.size === 0 ? 0 : first;
  }

  /** Tells the batches that nobody waits for any more. */
  abortUnawaited(error: unknown): void {
    for (const { parts, abort } of this.#flights) {
      if (parts.every((part) => part.job.settled)) abort.abort(error);
    }
  }

  #run(flight: Flight<I, O, W>): Promise<boolean> {
    const { clock, execute, verdictOn } = this.#config;
    const stop = ({ job }: Part<I, O>): void => job.clock.stopped(flight.at, flight.rows);
    return runApart<Part<I, O>, O>(flight.parts, {
      execute: async (parts) => {
        const items = parts.map((part) => part.item);
        try {
          return await execute(items, flight.abort.signal, flight.worker);
        } finally {
          flight.at = this.#owner.moment();
        }
      },
      isAwaited: (part) => !part.job.settled,
      complete: (part, output) => {
        stop(part);
        part.job.complete(part, output);
      },
      fail: (part, error) => this.#owner.fail(part, error),
      verdictOn,
      giveBack: (parts, error) => {
        for (const part of parts) {
          stop(part);
          this.#giveBack(part, error);
        }
      },
      lose: (parts, error) => {
        for (const part of parts) {
          stop(part);
          this.#lose(part, error);
        }
      },
      pause: () => new Promise((resolve) => clock.defer(resolve)),
    });
  }

  #giveBack(part: Part<I, O>, error: unknown): void {
    if (part.job.settled) return;
    part.notStarted += 1;
    if (part.notStarted < MAX_NOT_STARTED) this.#owner.putBack(part);
    else this.#owner.fail(part, error);
  }

  #lose(part: Part<I, O>, error: unknown): void {
    if (part.job.settled) return;
    const isSecond = part.isSuspect;
    part.isSuspect = true;
    if (this.#config.retryLost && !isSecond) this.#owner.putBack(part);
    else this.#owner.fail(part, error);
  }
}
