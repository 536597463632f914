import { createRandom } from '../random.js';
import type { Machine, Policy, SimRequest } from './policy.js';
import type { Outcome, Scenario } from './scenario.js';
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
  readonly #arrivals: () => number;
  readonly #noise: () => number;
  readonly #batcher: ReturnType<Policy['create']>;
  readonly #inSystem = new Set<SimRequest>();
  readonly #coming = new Set<number>();
  readonly #latencies: number[] = [];
  #busy = false;
  #ids = 0;
  #batches = 0;
  #rows = 0;
  #refused = 0;
  #areaInSystem = 0;
  #areaAt = 0;

  constructor(scenario: Scenario, policy: Policy) {
    this.#scenario = scenario;
    this.#policy = policy;
    // Two streams, so that policies which run other batches still see the same arrivals.
    this.#arrivals = createRandom(scenario.seed);
    this.#noise = createRandom(scenario.seed ^ 0x5bd1e995);
    this.#batcher = policy.create(this.#machine());
    const { load } = scenario;
    if (load.kind === 'poisson') this.#nextPoisson(load.perSecond);
    else for (let client = 0; client < load.clients; client++) this.#comeBack();
  }

  outcome(end: number): Outcome {
    this.#countArea(end);
    const sorted = this.#latencies.sort((a, b) => a - b);
    const { measureMs } = this.#scenario;
    const quantile = (q: number): number =>
      sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? NaN;
    return {
      policy: this.#policy.name,
      scenario: this.#scenario.name,
      perSecond: (sorted.length / measureMs) * 1000,
      meanMs: sorted.reduce((sum, ms) => sum + ms, 0) / sorted.length,
      p50Ms: quantile(0.5),
      p99Ms: quantile(0.99),
      meanBatch: this.#rows / this.#batches,
      meanInSystem: this.#areaInSystem / measureMs,
      refused: this.#refused,
    };
  }

  #machine(): Machine {
    const { fixedMs, perRowMs } = this.#scenario.cost;
    const isBusy = (): boolean => this.#busy;
    return {
      maxBatchSize: this.#scenario.maxBatchSize,
      get isBusy() {
        return isBusy();
      },
      now: () => this.timeline.now,
      after: (delayMs, fn) => this.timeline.after(delayMs, fn),
      start: (batch) => this.#start(batch),
      refuse: (request) => this.#refuse(request),
      foreseenCostMs: (rows) => fixedMs + perRowMs * rows,
      foreseenArrivals: () => [...this.#coming].sort((a, b) => a - b),
    };
  }

  get #isMeasured(): boolean {
    return this.timeline.now > this.#scenario.warmUpMs;
  }

  #start(batch: readonly SimRequest[]): void {
    if (this.#busy || batch.length === 0 || batch.length > this.#scenario.maxBatchSize) {
      throw new Error(`'${this.#policy.name}' started ${batch.length} rows, busy: ${this.#busy}`);
    }
    this.#busy = true;
    const { fixedMs, perRowMs, noise } = this.#scenario.cost;
    const tookMs = (fixedMs + perRowMs * batch.length) * (1 + noise * (2 * this.#noise() - 1));
    this.timeline.after(tookMs, () => {
      this.#busy = false;
      if (this.#isMeasured) {
        this.#batches += 1;
        this.#rows += batch.length;
      }
      for (const request of batch) this.#answer(request);
      this.#batcher.finished(batch, tookMs);
    });
  }

  #answer(request: SimRequest): void {
    if (this.#isMeasured) this.#latencies.push(this.timeline.now - request.arrivedAt);
    this.#leave(request);
  }

  #refuse(request: SimRequest): void {
    if (this.#isMeasured) this.#refused += 1;
    this.#leave(request);
  }

  #leave(request: SimRequest): void {
    this.#countArea(this.timeline.now);
    if (!this.#inSystem.delete(request)) throw new Error(`request ${request.id} left twice`);
    if (this.#scenario.load.kind === 'closed') this.#comeBack();
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
      this.#countArea(at);
      const request = { id: this.#ids++, arrivedAt: this.timeline.now };
      this.#inSystem.add(request);
      this.#batcher.arrived(request);
    });
  }

  #countArea(now: number): void {
    const from = Math.max(this.#areaAt, this.#scenario.warmUpMs);
    if (now > from) this.#areaInSystem += (now - from) * this.#inSystem.size;
    this.#areaAt = now;
  }
}
