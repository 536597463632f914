const KEPT = 50;
const IGNORED = 2;
const REFIT_MS = 5000;

interface Sample {
  readonly requests: number;
  readonly tookMs: number;
  readonly waitMs: number;
}

/** BentoML's optimizer: `duration = a · n + b` over the last 50 batches, fitted again at most every 5 s. */
export class CorkModel {
  perRequestMs: number;
  fixedMs: number;
  /** Mean time that the oldest request of a batch had waited. */
  waitMs = 0;
  readonly #samples: Sample[] = [];
  #seen = 0;
  /** Training fits first; the clock of the later fits starts there. */
  #fittedAt = Infinity;

  constructor(maxLatencyMs: number) {
    this.perRequestMs = Math.min(2000, (maxLatencyMs * 2) / 30);
    this.fixedMs = Math.min(1000, maxLatencyMs / 30);
  }

  log(sample: Sample, now: number): void {
    this.#seen += 1;
    if (this.#seen <= IGNORED) return;
    this.#samples.push(sample);
    if (this.#samples.length > KEPT) this.#samples.shift();
    if (now - this.#fittedAt >= REFIT_MS) this.fit(now);
  }

  /** Least squares through the kept batches; the slope stays when all have one size. */
  fit(now: number): void {
    const count = this.#samples.length;
    if (count === 0) return;
    this.#fittedAt = now;
    const mean = (of: (sample: Sample) => number): number =>
      this.#samples.reduce((sum, sample) => sum + of(sample), 0) / count;
    const meanRequests = mean(({ requests }) => requests);
    const meanMs = mean(({ tookMs }) => tookMs);
    const variance = mean(({ requests }) => (requests - meanRequests) ** 2);
    const covariance = mean(({ requests, tookMs }) => (requests - meanRequests) * (tookMs - meanMs));
    // lstsq takes the solution of least norm where sizes do not differ: the mean point, shared as n : 1.
    const slope = variance > 1e-9 ? covariance / variance : (meanMs * meanRequests) / (meanRequests ** 2 + 1);
    this.perRequestMs = Math.max(1e-3, slope);
    this.fixedMs = Math.max(0, meanMs - slope * meanRequests);
    this.waitMs = mean(({ waitMs }) => waitMs);
  }
}
