import { createRandom } from '../../random.js';
import type { Batcher, Machine, Policy, SimRequest } from '../policy.js';

/** Chooses a worker for a request that arrives, given how many requests each has. */
export type PickWorker = (outstanding: readonly number[]) => number;

/** Each worker in turn. */
export function roundRobin(): PickWorker {
  let next = 0;
  return (outstanding) => next++ % outstanding.length;
}

/** Any worker. */
export function anyWorker(): PickWorker {
  const random = createRandom(42);
  return (outstanding) => Math.floor(random() * outstanding.length);
}

/** A worker that has the fewest requests. */
export function leastOutstanding(): PickWorker {
  return (outstanding) => outstanding.indexOf(Math.min(...outstanding));
}

/** A queue and a batcher of its own for each worker, and a rule that assigns each request as it arrives. */
export function spreadOver(rule: string, createPick: () => PickWorker, policy: Policy): Policy {
  return {
    ...policy,
    name: `a queue per worker, ${rule}`,
    create: (machine) => new Spread(machine, createPick(), policy),
  };
}

class Spread implements Batcher {
  readonly #pick: PickWorker;
  readonly #batchers: readonly Batcher[];
  readonly #outstanding: number[];
  readonly #workerOf = new Map<SimRequest, number>();

  constructor(machine: Machine, pick: PickWorker, policy: Policy) {
    this.#pick = pick;
    const workers = Array.from({ length: machine.workers }, (_, worker) => worker);
    this.#outstanding = workers.map(() => 0);
    this.#batchers = workers.map((worker) => policy.create(this.#alone(machine, worker)));
  }

  arrived(request: SimRequest): void {
    const worker = this.#pick(this.#outstanding);
    this.#workerOf.set(request, worker);
    this.#count(worker, 1);
    this.#batchers[worker]?.arrived(request);
  }

  finished(batch: readonly SimRequest[], tookMs: number, worker: number): void {
    for (const request of batch) this.#left(request);
    // Its batcher believes that there is but one worker.
    this.#batchers[worker]?.finished(batch, tookMs, 0);
  }

  #alone(machine: Machine, worker: number): Machine {
    return {
      ...machine,
      workers: 1,
      freeWorkers: () => (machine.freeWorkers().includes(worker) ? [0] : []),
      start: (batch) => machine.start(batch, worker),
      refuse: (request) => {
        this.#left(request);
        machine.refuse(request);
      },
    };
  }

  #left(request: SimRequest): void {
    const worker = this.#workerOf.get(request);
    if (worker !== undefined) this.#count(worker, -1);
    this.#workerOf.delete(request);
  }

  #count(worker: number, change: number): void {
    this.#outstanding[worker] = (this.#outstanding[worker] ?? 0) + change;
  }
}
