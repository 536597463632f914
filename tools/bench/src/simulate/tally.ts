import type { Priority } from '@bentots/batching';
import type { SimRequest } from './policy.js';
import type { Outcome, Scenario } from './scenario.js';

/** Counts what became of the requests of one run, once it is warm. */
export class Tally {
  readonly #scenario: Scenario;
  readonly #latencies: number[] = [];
  readonly #refusals: number[] = [];
  readonly #byPriority: Record<Priority, { sum: number; count: number }> = {
    high: { sum: 0, count: 0 },
    normal: { sum: 0, count: 0 },
    low: { sum: 0, count: 0 },
  };
  #good = 0;
  #batches = 0;
  #rows = 0;
  #executedExpired = 0;
  #areaInSystem = 0;
  #areaAt = 0;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
  }

  started(now: number, batch: readonly SimRequest[]): void {
    if (now > this.#scenario.warmUpMs)
      this.#executedExpired += batch.filter(({ deadlineAt }) => deadlineAt < now).length;
  }

  ended(now: number, batch: readonly SimRequest[]): void {
    if (now <= this.#scenario.warmUpMs) return;
    this.#batches += 1;
    this.#rows += batch.length;
  }

  answered(now: number, request: SimRequest): void {
    if (!this.#counts(now, request)) return;
    const tookMs = now - request.arrivedAt;
    this.#latencies.push(tookMs);
    if (now <= request.deadlineAt) this.#good += 1;
    const sums = this.#byPriority[request.priority];
    sums.sum += tookMs;
    sums.count += 1;
  }

  refused(now: number, request: SimRequest): void {
    if (this.#counts(now, request)) this.#refusals.push(now - request.arrivedAt);
  }

  /** From the last change on, `count` requests were waiting or running. */
  inSystem(now: number, count: number): void {
    const from = Math.max(this.#areaAt, this.#scenario.warmUpMs);
    if (now > from) this.#areaInSystem += (now - from) * count;
    this.#areaAt = now;
  }

  outcome(policy: string): Outcome {
    const { name, measureMs } = this.#scenario;
    const latencies = this.#latencies.sort((a, b) => a - b);
    const refusals = this.#refusals.sort((a, b) => a - b);
    const meanOf = (priority: Priority): number =>
      this.#byPriority[priority].sum / this.#byPriority[priority].count;
    return {
      policy,
      scenario: name,
      perSecond: (latencies.length / measureMs) * 1000,
      meanMs: latencies.reduce((sum, ms) => sum + ms, 0) / latencies.length,
      p50Ms: quantile(latencies, 0.5),
      p99Ms: quantile(latencies, 0.99),
      meanBatch: this.#rows / this.#batches,
      meanInSystem: this.#areaInSystem / measureMs,
      refused: refusals.length,
      goodPerSecond: (this.#good / measureMs) * 1000,
      executedExpired: this.#executedExpired,
      refusedP99Ms: quantile(refusals, 0.99),
      refusedMaxMs: refusals.at(-1) ?? NaN,
      meanMsBy: { high: meanOf('high'), normal: meanOf('normal'), low: meanOf('low') },
    };
  }

  /** Requests count in the period in which they were answered; after a burst, only those sent after it. */
  #counts(now: number, { arrivedAt }: SimRequest): boolean {
    const { load, warmUpMs } = this.#scenario;
    const isAfterBurst = load.kind === 'closed' && load.staying !== undefined;
    return (isAfterBurst ? arrivedAt : now) > warmUpMs;
  }
}

function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? NaN;
}
