/** What a metric measures; summaries are left out, as their quantiles cannot be merged over processes. */
export type MetricType = 'counter' | 'gauge' | 'histogram';

/** One sample: `metricName` is set when it differs from the metric's own (`…_bucket`, `…_sum`, `…_count`). */
export interface MetricSample {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  readonly metricName?: string;
}

/** One metric with all its samples, as prom-client writes it in JSON. */
export interface MetricFacts {
  readonly name: string;
  readonly help: string;
  readonly type: MetricType;
  /** How samples of several processes become one. */
  readonly aggregator: MetricAggregator;
  readonly values: readonly MetricSample[];
}

/** The ways to make one number of several processes'; `sum` for everything but special gauges. */
export type MetricAggregator = 'sum' | 'first' | 'min' | 'max' | 'average';

/** All metrics of one process at one moment: JSON-safe, so that it travels by message. */
export type MetricsSnapshot = readonly MetricFacts[];

const TYPES: ReadonlySet<unknown> = new Set<MetricType>(['counter', 'gauge', 'histogram']);
const AGGREGATORS: ReadonlySet<unknown> = new Set<MetricAggregator>([
  'sum',
  'first',
  'min',
  'max',
  'average',
]);

/**
 * Reads a snapshot that came from another process. What is not a counter, gauge or histogram is left out, as is a
 * sample that is not a finite number: one odd metric must not cost the operator the whole scrape.
 */
export function parseSnapshot(value: unknown): MetricsSnapshot {
  return Array.isArray(value) ? value.flatMap((metric: unknown) => parseMetric(metric)) : [];
}

function parseMetric(value: unknown): readonly MetricFacts[] {
  if (!isObject(value) || typeof value['name'] !== 'string' || !isType(value['type'])) return [];
  if (!Array.isArray(value['values'])) return [];
  const aggregator = isAggregator(value['aggregator']) ? value['aggregator'] : 'sum';
  const values = value['values'].filter(isSample);
  return [{ name: value['name'], help: String(value['help']), type: value['type'], aggregator, values }];
}

function isSample(value: unknown): value is MetricSample {
  return isObject(value) && isObject(value['labels']) && Number.isFinite(value['value']);
}

function isType(value: unknown): value is MetricType {
  return TYPES.has(value);
}

function isAggregator(value: unknown): value is MetricAggregator {
  return AGGREGATORS.has(value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
