import { createRandom } from '../random.js';
import type { Batcher, Machine, Policy, SimRequest } from './policy.js';
import type { Outcome, Scenario } from './scenario.js';
import { Tally } from './tally.js';
import { Timeline } from './timeline.js';

/** Runs `policy` in `scenario`: the same seed gives the same outcome, whatever else this process does. */
export async function simulate(scenario: Scenario, policy: Policy): Promise<Outcome> {
  const run = new Run(scenario, policy);
  const end = scenario.warmUpMs + scenario.measureMs;
  while (run.timeline.next <= end) {
    run.timeline.step();
    // Promise callbacks happen in no time, before anything else does.
    if (policy.usesPromises === true) await new Promise((resolve) => setImmediate(resolve));
  }
  return run.outcome(end);
}

class Run {
  readonly timeline = new Timeline();
  readonly #scenario: Scenario;
  readonly #policy: Policy;
  readonly #tally: Tally;
  readonly #arrivals: () => number;
  readonly #noise: () => number;
  readonly #priorities: () => number;
  readonly #batcher: Batcher;
  readonly #inSystem = new Set<SimRequest>();
  readonly #coming = new Set<number>();
  readonly #free: Set<number>;
  #ids = 0;
  #clients = 0;

  constructor(scenario: Scenario, policy: Policy) {
    this.#scenario = scenario;
    this.#policy = policy;
    this.#tally = new Tally(scenario);
    this.#free = new Set(Array.from({ length: scenario.workers ?? 1 }, (_, worker) => worker));
    // Streams of their own, so that policies which run other batches still see the same arrivals.
    this.#arrivals = createRandom(scenario.seed);
    this.#noise = createRandom(scenario.seed ^ 0x5bd1e995);
    this.#priorities = createRandom(scenario.seed ^ 0x2545f491);
    this.#batcher = policy.create(this.#machine());
    const { load } = scenario;
    if (load.kind === 'poisson') this.#nextPoisson(load.perSecond);
    else for (this.#clients = 0; this.#clients < load.clients; this.#clients += 1) this.#comeBack();
  }

  outcome(end: number): Outcome {
    this.#tally.inSystem(end, this.#inSystem.size);
    return this.#tally.outcome(this.#policy.name);
  }

  #machine(): Machine {
    const { cost, maxBatchSize, workers = 1 } = this.#scenario;
    return {
      maxBatchSize,
      workers,
      freeWorkers: () => [...this.#free].sort((a, b) => a - b),
      now: () => this.timeline.now,
      after: (delayMs, fn) => this.timeline.after(delayMs, fn),
      start: (batch, worker) => this.#start(batch, worker),
      refuse: (request) => this.#leave(request, () => this.#tally.refused(this.timeline.now, request)),
      foreseenCostMs: (rows) => cost.fixedMs + cost.perRowMs * rows,
      foreseenArrivals: () => [...this.#coming].sort((a, b) => a - b),
    };
  }

  #start(batch: readonly SimRequest[], worker: number): void {
    const isFree = this.#free.delete(worker);
    if (!isFree || batch.length === 0 || batch.length > this.#scenario.maxBatchSize) {
      throw new Error(`'${this.#policy.name}' started ${batch.length} rows, worker free: ${isFree}`);
    }
    const { fixedMs, perRowMs, noise } = this.#scenario.cost;
    const tookMs = (fixedMs + perRowMs * batch.length) * (1 + noise * (2 * this.#noise() - 1));
    this.#tally.started(this.timeline.now, batch);
    this.timeline.after(tookMs, () => {
      this.#free.add(worker);
      const { now } = this.timeline;
      this.#tally.ended(now, batch);
      for (const request of batch) this.#leave(request, () => this.#tally.answered(now, request));
      this.#batcher.finished(batch, tookMs, worker);
    });
  }

  #leave(request: SimRequest, count: () => void): void {
    this.#tally.inSystem(this.timeline.now, this.#inSystem.size);
    if (!this.#inSystem.delete(request)) throw new Error(`request ${request.id} left twice`);
    count();
    const { load, warmUpMs } = this.#scenario;
    if (load.kind !== 'closed') return;
    const wanted = this.timeline.now > warmUpMs ? (load.staying ?? load.clients) : load.clients;
    if (this.#clients <= wanted) this.#comeBack();
    else this.#clients -= 1;
  }

  #comeBack(): void {
    const { load } = this.#scenario;
    if (load.kind === 'closed') this.#send(load.returnMs * (0.5 + this.#arrivals()), () => undefined);
  }

  #nextPoisson(perSecond: number): void {
    const delayMs = (-Math.log(1 - this.#arrivals()) * 1000) / perSecond;
    this.#send(delayMs, () => this.#nextPoisson(perSecond));
  }

  #send(delayMs: number, then: () => void): void {
    const at = this.timeline.now + delayMs;
    // Two at the very same moment would be one to the oracle; with drawn times there are none.
    this.#coming.add(at);
    this.timeline.after(delayMs, () => {
      this.#coming.delete(at);
      then();
      this.#tally.inSystem(at, this.#inSystem.size);
      const request = this.#createRequest();
      this.#inSystem.add(request);
      this.#batcher.arrived(request);
    });
  }

  #createRequest(): SimRequest {
    const { deadlineMs = Infinity, priorities } = this.#scenario;
    const { now } = this.timeline;
    const drawn = priorities === undefined ? undefined : this.#priorities();
    const isHigh = drawn !== undefined && drawn < (priorities?.high ?? 0);
    const isLow = drawn !== undefined && drawn >= 1 - (priorities?.low ?? 0);
    const priority = isHigh ? 'high' : isLow ? 'low' : 'normal';
    return { id: this.#ids++, arrivedAt: now, deadlineAt: now + deadlineMs, priority };
  }
}
