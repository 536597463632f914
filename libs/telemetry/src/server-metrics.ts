import type { MetricsRegistry } from './metrics-registry.js';
import { type EndRequest, RequestMetrics } from './request-metrics.js';

/** Upper bounds of request durations in seconds when nothing else is configured. */
export const DEFAULT_DURATION_BUCKETS: readonly number[] = [
  0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
];

/** What stands for a version that a service does not have. */
export const NO_VERSION = 'not available';

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
