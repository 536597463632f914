import type { MetricsRegistry } from './metrics-registry.js';
import { type EndRequest, RequestMetrics } from './request-metrics.js';

/** Upper bounds of request durations in seconds when nothing else is configured. */
export const DEFAULT_DURATION_BUCKETS: readonly number[] = [
  0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
];

const NO_VERSION = 'not available';

/** Whose requests are measured. */
export interface ApiMetricsOptions {
  readonly service: string;
  /** Null or absent is shown as `not available`. */
  readonly version?: string | null;
  /** HTTP says `endpoint` (a route template), gRPC `api_name`. */
  readonly label: 'endpoint' | 'api_name';
  /** @default {@link DEFAULT_DURATION_BUCKETS} */
  readonly buckets?: readonly number[];
}

/** The request metrics of an API server. */
export interface ApiMetrics {
  /** A request begins; call the result with the status code when its answer is sent. `endpoint` must be bounded. */
  begin(endpoint: string): EndRequest;
}

/** `bentoml_api_server_request_{duration_seconds,total,in_progress}` with the labels BentoML's dashboards know. */
export function createApiMetrics(registry: MetricsRegistry, options: ApiMetricsOptions): ApiMetrics {
  const metrics = new RequestMetrics({
    prefix: 'bentoml_api_server',
    label: options.label,
    labels: { service_name: options.service, service_version: options.version ?? NO_VERSION },
    buckets: options.buckets ?? DEFAULT_DURATION_BUCKETS,
  });
  registry.add(metrics);
  return metrics;
}

/** Whose calls and batches are measured. */
export interface RunnerMetricsOptions {
  readonly service: string;
  /** Null or absent is shown as `not available`. */
  readonly version?: string | null;
  readonly runner: string;
  /** The worker's number, from 1. */
  readonly worker: number;
  /** The largest of the runner's methods; the last bucket of the batch sizes. */
  readonly maxBatchSize: number;
  /** @default {@link DEFAULT_DURATION_BUCKETS} */
  readonly buckets?: readonly number[];
}

/** The metrics of one runner worker. */
export interface RunnerMetrics {
  /** A call of `method` begins; call the result with the HTTP status that says its end. */
  begin(method: string): EndRequest;
  /** A batch of `rows` rows of `method` is executed. */
  batch(method: string, rows: number): void;
}

/** `bentoml_runner_request_*` and `bentoml_runner_adaptive_batch_size`, named and labelled as BentoML does. */
export function createRunnerMetrics(registry: MetricsRegistry, options: RunnerMetricsOptions): RunnerMetrics {
  const version = options.version ?? NO_VERSION;
  const requests = new RequestMetrics({
    prefix: 'bentoml_runner',
    label: 'endpoint',
    labels: { service_name: options.service, service_version: version, runner_name: options.runner },
    buckets: options.buckets ?? DEFAULT_DURATION_BUCKETS,
  });
  registry.add(requests);
  const sizes = registry.histogram(
    'bentoml_runner_adaptive_batch_size',
    'Rows of the executed batches',
    ['runner_name', 'worker_index', 'method_name', 'service_version', 'service_name'],
    planBatchSizeBuckets(options.maxBatchSize),
  );
  const shared = {
    runner_name: options.runner,
    worker_index: options.worker,
    service_version: version,
    service_name: options.service,
  };
  return {
    begin: (method) => requests.begin(`/${method}`),
    batch: (method, rows) => sizes.observe({ ...shared, method_name: method }, rows),
  };
}

/** Powers of two below `maxBatchSize`, then itself: a full batch is always a bucket of its own. */
export function planBatchSizeBuckets(maxBatchSize: number): number[] {
  const powers = Array.from({ length: 31 }, (_, exponent) => 2 ** exponent);
  return [...powers.filter((size) => size < maxBatchSize), Math.max(1, maxBatchSize)];
}
