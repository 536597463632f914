import { BatchMetrics, type MeasuredBatch, type WatchedQueue } from './batch-metrics.js';
import type { MetricsRegistry } from './metrics-registry.js';
import { type EndRequest, RequestMetrics } from './request-metrics.js';
import { DEFAULT_DURATION_BUCKETS, NO_VERSION } from './server-metrics.js';

/** Whose calls and batches are measured. */
export interface RunnerMetricsOptions {
  readonly service: string;
  /** Null or absent is shown as `not available`. */
  readonly version?: string | null;
  readonly runner: string;
  /** The largest of the runner's methods; the last bucket of the batch sizes. */
  readonly maxBatchSize: number;
  /** @default {@link DEFAULT_DURATION_BUCKETS} */
  readonly buckets?: readonly number[];
}

/** The metrics of one runner. */
export interface RunnerMetrics {
  /** A call of `method` begins; call the result with the HTTP status that says its end. */
  begin(method: string): EndRequest;
  /** A batch, or a single call, of `method` was executed. */
  batch(method: string, batch: MeasuredBatch): void;
  /** A call of `method` was refused, or left the queue unexecuted; `reason` is one of few words. */
  refused(method: string, reason: string): void;
  /** Shows what waits for `method` from now on. */
  watchQueue(method: string, queue: WatchedQueue): void;
}

/** `bentoml_runner_*`, named and labelled as BentoML does, and `bentots_runner_*`: how calls were queued and batched. */
export function createRunnerMetrics(registry: MetricsRegistry, options: RunnerMetricsOptions): RunnerMetrics {
  const labels = {
    service_name: options.service,
    service_version: options.version ?? NO_VERSION,
    runner_name: options.runner,
  };
  const requests = new RequestMetrics({
    prefix: 'bentoml_runner',
    label: 'endpoint',
    labels,
    buckets: options.buckets ?? DEFAULT_DURATION_BUCKETS,
  });
  const batches = new BatchMetrics(labels, planBatchSizeBuckets(options.maxBatchSize));
  registry.add(requests);
  registry.add(batches);
  return {
    begin: (method) => requests.begin(`/${method}`),
    batch: (method, batch) => batches.observe(method, batch),
    refused: (method, reason) => batches.refused(method, reason),
    watchQueue: (method, queue) => batches.watch(method, queue),
  };
}

/** Powers of two below `maxBatchSize`, then itself: a full batch is always a bucket of its own. */
export function planBatchSizeBuckets(maxBatchSize: number): number[] {
  const powers = Array.from({ length: 31 }, (_, exponent) => 2 ** exponent);
  return [...powers.filter((size) => size < maxBatchSize), Math.max(1, maxBatchSize)];
}
