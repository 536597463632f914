import type { Priority } from '@bentots/batching';

/** One request on its way through the simulated runner; every request is one row. */
export interface SimRequest {
  readonly id: number;
  /** When it reached the queue. */
  readonly arrivedAt: number;
  /** When its caller stops waiting. */
  readonly deadlineAt: number;
  readonly priority: Priority;
}

/** The runner that a batcher feeds: one batch at a time on each of its workers, in virtual time. */
export interface Machine {
  /** Rows that a batch may have. */
  readonly maxBatchSize: number;
  readonly workers: number;
  /** The workers that execute nothing, in order. */
  freeWorkers(): readonly number[];
  /** Milliseconds since the start of the simulation. */
  now(): number;
  /** Plans `fn`; the result takes it back. */
  after(delayMs: number, fn: () => void): () => void;
  /** Executes a batch on a free worker; its end answers the members and calls {@link Batcher.finished}. */
  start(batch: readonly SimRequest[], worker: number): void;
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
  /** A batch has ended after `tookMs`; its members were answered. */
  finished(batch: readonly SimRequest[], tookMs: number, worker: number): void;
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

/** Given a free worker and a queue that is not empty: how many to run now, or until when to wait. */
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
    for (const worker of machine.freeWorkers()) {
      const [oldest] = queue;
      if (oldest === undefined) return;
      const { maxBatchSize } = machine;
      const now = machine.now();
      const facts = { now, queued: queue.length, maxBatchSize, oldestAt: oldest.arrivedAt };
      const decision = decide(facts, machine);
      if ('until' in decision) {
        cancelAlarm = machine.after(decision.until - now, step);
        return;
      }
      machine.start(queue.splice(0, Math.min(decision.run, maxBatchSize)), worker);
    }
  };
  return {
    arrived(request) {
      queue.push(request);
      step();
    },
    finished: step,
  };
}
