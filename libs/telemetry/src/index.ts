export { MetricsRegistry } from './metrics-registry.js';
export type {
  CounterMetric,
  GaugeMetric,
  HistogramMetric,
  Labels,
  MetricsSource,
} from './metrics-registry.js';
export { parseSnapshot } from './metrics-snapshot.js';
export type {
  MetricAggregator,
  MetricFacts,
  MetricSample,
  MetricsSnapshot,
  MetricType,
} from './metrics-snapshot.js';
export { MergedMetrics } from './merged-metrics.js';
export type { EndRequest } from './request-metrics.js';
export { createApiMetrics, DEFAULT_DURATION_BUCKETS } from './server-metrics.js';
export { createRunnerMetrics } from './runner-metrics.js';
export type { ApiMetrics, ApiMetricsOptions } from './server-metrics.js';
export type { RunnerMetrics, RunnerMetricsOptions } from './runner-metrics.js';
export type { MeasuredBatch, WatchedQueue } from './batch-metrics.js';
export { createLogger } from './log.js';
export type { LogFields, Logger, LoggerOptions, LogLevel } from './log.js';
export type { LineSink } from './line-writer.js';
export { formatGrpcAccess, formatHttpAccess } from './access-line.js';
export type { GrpcAccessFacts, HttpAccessFacts } from './access-line.js';
export { createHexId, createTraceContext, parseTraceparent } from './trace.js';
export type { TraceContext } from './trace.js';
