import { AggregatorRegistry } from 'prom-client';
import {
  type MetricFacts,
  type MetricSample,
  type MetricsSnapshot,
  parseSnapshot,
} from './metrics-snapshot.js';

interface Source {
  /** To see that nothing is new without comparing trees. */
  readonly json: string;
  readonly snapshot: MetricsSnapshot;
}

/**
 * The metrics of a process tree as one text: the latest snapshot of each living source, and what the dead ones had
 * counted. It lives in the arbiter, the only process that outlives every worker.
 */
export class MergedMetrics {
  /** Of the Prometheus text format. */
  readonly contentType = 'text/plain; version=0.0.4; charset=utf-8';
  private readonly sources = new Map<string, Source>();
  /** One folded snapshot, however many workers died: memory does not grow with deaths. */
  private retired: MetricsSnapshot = [];
  private rendered: Promise<string> | undefined;

  /** Replaces what `source` reported before. One that reports nothing new keeps the rendered text. */
  update(source: string, snapshot: unknown): void {
    const json = JSON.stringify(snapshot) ?? '';
    if (this.sources.get(source)?.json === json) return;
    this.sources.set(source, { json, snapshot: parseSnapshot(snapshot) });
    this.rendered = undefined;
  }

  /**
   * `source` is gone: its counters and histograms stay in the totals, which must never drop; its gauges say
   * something about a living process only and go. Unknown sources are ignored.
   */
  retire(source: string): void {
    const last = this.sources.get(source);
    if (last === undefined) return;
    this.sources.delete(source);
    const kept = last.snapshot.filter((metric) => metric.type !== 'gauge');
    this.retired = addTotals(this.retired, kept);
    this.rendered = undefined;
  }

  /** Everything in the Prometheus text format; the same promise until something changes. */
  text(): Promise<string> {
    this.rendered ??= this.render();
    return this.rendered;
  }

  private render(): Promise<string> {
    const living = [...this.sources.values()].map((source) => source.snapshot);
    return AggregatorRegistry.aggregate([this.retired, ...living].map((snapshot) => [...snapshot])).metrics();
  }
}

/** The totals of both, sample by sample. */
function addTotals(a: MetricsSnapshot, b: MetricsSnapshot): MetricsSnapshot {
  const sums = new Map(a.map((metric) => [metric.name, metric]));
  for (const metric of b) {
    const before = sums.get(metric.name);
    sums.set(metric.name, before === undefined ? metric : { ...before, values: addSamples(before, metric) });
  }
  return [...sums.values()];
}

function addSamples(a: MetricFacts, b: MetricFacts): readonly MetricSample[] {
  const sums = new Map(a.values.map((sample) => [keyOf(sample), sample]));
  for (const sample of b.values) {
    const key = keyOf(sample);
    sums.set(key, { ...sample, value: sample.value + (sums.get(key)?.value ?? 0) });
  }
  return [...sums.values()];
}

function keyOf(sample: MetricSample): string {
  const labels = Object.entries(sample.labels).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([sample.metricName, labels]);
}
