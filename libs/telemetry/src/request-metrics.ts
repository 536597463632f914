import { performance } from 'node:perf_hooks';
import { HistogramSeries } from './histogram-series.js';
import type { MetricsSource } from './metrics-registry.js';
import type { MetricFacts, MetricSample } from './metrics-snapshot.js';

/** Names and labels of one trio of request metrics. */
export interface RequestMetricsOptions {
  /** `bentoml_api_server`, `bentoml_runner`: what the three names begin with. */
  readonly prefix: string;
  /** The label that says what was called: `endpoint`, `api_name`. */
  readonly label: string;
  /** Labels that are the same for every sample. */
  readonly labels: Readonly<Record<string, string>>;
  /** Upper bounds of the duration in seconds, ascending, without +Inf. */
  readonly buckets: readonly number[];
}

/** Ends what {@link RequestMetrics.begin} began: counts it under this status code. */
export type EndRequest = (code: string | number) => void;

/** One called thing: how many calls are running, and what became of the others by code. */
interface Target {
  inProgress: number;
  readonly byCode: Map<string | number, HistogramSeries>;
}

/** Duration, total and in-progress of requests. */
export class RequestMetrics implements MetricsSource {
  private readonly targets = new Map<string, Target>();

  constructor(private readonly options: RequestMetricsOptions) {}

  /** A request to `target` begins now; the result must be called once, when it ends. */
  begin(target: string): EndRequest {
    const entry = this.targetOf(target);
    const startMs = performance.now();
    entry.inProgress++;
    return (code) => {
      entry.inProgress--;
      this.observe(entry, code, (performance.now() - startMs) / 1000);
    };
  }

  collect(): readonly MetricFacts[] {
    const { prefix } = this.options;
    return [
      this.histogram(`${prefix}_request_duration_seconds`),
      this.facts(`${prefix}_request_total`, 'counter', 'Total number of requests', this.totals()),
      this.facts(`${prefix}_request_in_progress`, 'gauge', 'Requests in progress now', this.running()),
    ];
  }

  private targetOf(name: string): Target {
    const known = this.targets.get(name);
    if (known !== undefined) return known;
    const target: Target = { inProgress: 0, byCode: new Map() };
    this.targets.set(name, target);
    return target;
  }

  private observe(target: Target, code: string | number, seconds: number): void {
    let series = target.byCode.get(code);
    if (series === undefined) {
      series = new HistogramSeries(this.options.buckets);
      target.byCode.set(code, series);
    }
    series.observe(seconds);
  }

  private facts(
    name: string,
    type: MetricFacts['type'],
    help: string,
    values: readonly MetricSample[],
  ): MetricFacts {
    return { name, help, type, aggregator: 'sum', values };
  }

  private totals(): readonly MetricSample[] {
    return this.allSeries().map(({ labels, series }) => ({ labels, value: series.count }));
  }

  private running(): readonly MetricSample[] {
    const { label, labels } = this.options;
    return [...this.targets].map(([name, target]) => ({
      labels: { [label]: name, ...labels },
      value: target.inProgress,
    }));
  }

  private histogram(name: string): MetricFacts {
    const values = this.allSeries().flatMap(({ labels, series }) => series.samples(name, labels));
    return this.facts(name, 'histogram', 'Duration of requests in seconds', values);
  }

  private allSeries(): { labels: MetricSample['labels']; series: HistogramSeries }[] {
    const { label, labels } = this.options;
    return [...this.targets].flatMap(([name, target]) =>
      [...target.byCode].map(([code, series]) => ({
        labels: { [label]: name, ...labels, http_response_code: String(code) },
        series,
      })),
    );
  }
}
