/** One request on its way through the simulated runner; every request is one row. */
export interface SimRequest {
  readonly id: number;
  /** When it reached the queue. */
  readonly arrivedAt: number;
}

/** The runner that a batcher feeds: one batch at a time, in virtual time. */
export interface Machine {
  /** Rows that a batch may have. */
  readonly maxBatchSize: number;
  /** A batch is being executed. */
  readonly isBusy: boolean;
  /** Milliseconds since the start of the simulation. */
  now(): number;
  /** Plans `fn`; the result takes it back. */
  after(delayMs: number, fn: () => void): () => void;
  /** Executes a batch; its end answers the members and calls {@link Batcher.finished}. */
  start(batch: readonly SimRequest[]): void;
  /** Refuses a request that will never be executed. */
  refuse(request: SimRequest): void;
  /** For the oracle alone: what a batch will cost, without its noise. */
  foreseenCostMs(rows: number): number;
  /** For the oracle alone: when the requests that are already on their way will arrive. */
  foreseenArrivals(): readonly number[];
}

/** Queues requests and decides when to run which of them together. */
export interface Batcher {
  arrived(request: SimRequest): void;
  /** The running batch has ended after `tookMs`; its members were answered. */
  finished(batch: readonly SimRequest[], tookMs: number): void;
}

/** A way of batching, by name. */
export interface Policy {
  readonly name: string;
  create(machine: Machine): Batcher;
  /** The batcher answers by promises: after each moment they are let run. @default false */
  readonly usesPromises?: boolean;
}

/** What a {@link DecideFn} may look at. */
export interface QueueFacts {
  readonly now: number;
  readonly queued: number;
  readonly maxBatchSize: number;
  /** When the oldest queued request arrived. */
  readonly oldestAt: number;
}

/** Given an idle runner and a queue that is not empty: how many to run now, or until when to wait. */
export type DecideFn = (
  facts: QueueFacts,
  machine: Machine,
) => { readonly run: number } | { readonly until: number };

/** A batcher that asks `decide` at each arrival, at the end of each batch, and at the time that `decide` named. */
export function createDecidingBatcher(machine: Machine, decide: DecideFn): Batcher {
  const queue: SimRequest[] = [];
  let cancelAlarm = (): void => undefined;
  const step = (): void => {
    cancelAlarm();
    const [oldest] = queue;
    if (machine.isBusy || oldest === undefined) return;
    const { maxBatchSize } = machine;
    const now = machine.now();
    const decision = decide({ now, queued: queue.length, maxBatchSize, oldestAt: oldest.arrivedAt }, machine);
    if ('run' in decision) machine.start(queue.splice(0, Math.min(decision.run, maxBatchSize)));
    else cancelAlarm = machine.after(decision.until - now, step);
  };
  return {
    arrived(request) {
      queue.push(request);
      step();
    },
    finished: step,
  };
}
