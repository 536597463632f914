/** Where the time of one request went. The three times add up to what it took from arrival to answer. */
export interface RequestTiming {
  /** No part of it ran, and no worker was free. */
  readonly queueMs: number;
  /** No part of it ran though a worker was free: it was held for others to join. */
  readonly batchMs: number;
  /** At least one part of it ran. */
  readonly inferMs: number;
  /** Rows of the batch that it was in; of a split request, of the batch that ended last. */
  readonly batchRows: number;
}

/** One moment: the clock's milliseconds, and how many of them had no free worker so far. */
export interface Moment {
  readonly now: number;
  readonly busyMs: number;
}

/**
 * Adds up the time in which no worker is free. It is told at each event whether one is; between two events the earlier
 * answer counts. Thus a request needs no more than two readings to know what it waited for.
 */
export class BusyMeter {
  #busyMs = 0;
  #busySince: number | undefined;

  /** From `now` on a worker is free, or none is. */
  observe(now: number, isFree: boolean): Moment {
    if (this.#busySince !== undefined) this.#busyMs += now - this.#busySince;
    this.#busySince = isFree ? undefined : now;
    return { now, busyMs: this.#busyMs };
  }
}

/** Splits the time of one request, whose parts may run one after another or side by side. */
export class RequestClock {
  #at: Moment;
  #running = 0;
  #batchRows = 0;
  #queueMs = 0;
  #batchMs = 0;
  #inferMs = 0;

  constructor(arrived: Moment) {
    this.#at = arrived;
  }

  /** A part of the request begins to run. */
  started(at: Moment): void {
    if (this.#running === 0) this.#waited(at);
    this.#running += 1;
  }

  /** A part that was started runs no more, whatever came of it. */
  stopped(at: Moment, batchRows: number): void {
    this.#running -= 1;
    this.#batchRows = batchRows;
    if (this.#running > 0) return;
    this.#inferMs += at.now - this.#at.now;
    this.#at = at;
  }

  /** What the time went to, up to the last start or stop. */
  get timing(): RequestTiming {
    const [queueMs, batchMs, inferMs] = [this.#queueMs, this.#batchMs, this.#inferMs];
    return { queueMs, batchMs, inferMs, batchRows: this.#batchRows };
  }

  #waited(until: Moment): void {
    const queueMs = until.busyMs - this.#at.busyMs;
    this.#queueMs += queueMs;
    this.#batchMs += until.now - this.#at.now - queueMs;
    this.#at = until;
  }
}
