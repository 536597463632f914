import { HistogramSeries } from './histogram-series.js';
import type { MetricsSource } from './metrics-registry.js';
import type { MetricAggregator, MetricFacts, MetricSample, MetricType } from './metrics-snapshot.js';

/** What was measured of one executed batch. Times in milliseconds. */
export interface MeasuredBatch {
  readonly rows: number;
  /** The number of the worker that ran it. */
  readonly worker: number;
  /** Whether calls of this method are batched; else `rows` says nothing. */
  readonly isBatch: boolean;
  /** How long its oldest call waited in all. */
  readonly waitMs: number;
  /** How much of that it was held for others, while a worker was free. */
  readonly holdMs: number;
  readonly executeMs: number;
  /** Why it was released then; one of few words. */
  readonly reason: string;
  /** What the model of cost had said; undefined before it knew anything. */
  readonly expectedMs?: number | undefined;
}

/** A queue as it is now. */
export interface WatchedQueue {
  readonly queuedRows: number;
  readonly queuedBytes: number;
  /** What a batch is expected to take: `fixedMs + rows · perRowMs`. */
  readonly cost: { readonly fixedMs: number; readonly perRowMs: number } | undefined;
}

const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const RATIOS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2];

interface MethodSeries {
  readonly sizes: Map<number, HistogramSeries>;
  readonly waits: HistogramSeries;
  readonly holds: HistogramSeries;
  readonly executions: HistogramSeries;
  readonly errors: HistogramSeries;
  readonly released: Map<string, number>;
  readonly refused: Map<string, number>;
  queue: WatchedQueue | undefined;
}

type Labels = Readonly<Record<string, string>>;
type Sampler = (series: MethodSeries, labels: Labels, name: string) => readonly MetricSample[];

/** Batches of a runner's methods: sizes, waits, costs, and what was refused. */
export class BatchMetrics implements MetricsSource {
  private readonly methods = new Map<string, MethodSeries>();

  constructor(
    private readonly labels: Labels,
    private readonly sizeBuckets: readonly number[],
  ) {}

  observe(method: string, batch: MeasuredBatch): void {
    const series = this.seriesOf(method);
    if (batch.isBatch) this.sizesOf(series, batch.worker).observe(batch.rows);
    series.waits.observe(batch.waitMs / 1000);
    series.holds.observe(batch.holdMs / 1000);
    series.executions.observe(batch.executeMs / 1000);
    if (batch.expectedMs !== undefined && batch.executeMs > 0) {
      series.errors.observe(Math.abs(batch.expectedMs - batch.executeMs) / batch.executeMs);
    }
    countUp(series.released, batch.reason);
  }

  refused(method: string, reason: string): void {
    countUp(this.seriesOf(method).refused, reason);
  }

  watch(method: string, queue: WatchedQueue): void {
    this.seriesOf(method).queue = queue;
  }

  collect(): readonly MetricFacts[] {
    return [
      this.facts('bentoml_runner_adaptive_batch_size', 'histogram', 'Rows of the executed batches', sizesOf),
      this.facts(
        'bentots_runner_queue_wait_seconds',
        'histogram',
        'How long the oldest call of a batch waited',
        ({ waits }, labels, name) => waits.samples(name, labels),
      ),
      this.facts(
        'bentots_runner_batch_hold_seconds',
        'histogram',
        'How long a batch was held for more calls while a worker was free',
        ({ holds }, labels, name) => holds.samples(name, labels),
      ),
      this.facts(
        'bentots_runner_execution_seconds',
        'histogram',
        'How long batches took in their worker',
        ({ executions }, labels, name) => executions.samples(name, labels),
      ),
      this.facts(
        'bentots_runner_cost_error_ratio',
        'histogram',
        'How far off the expected time of a batch was, as a share of the real one',
        ({ errors }, labels, name) => errors.samples(name, labels),
      ),
      this.facts(
        'bentots_runner_batches_total',
        'counter',
        'Executed batches by why they were released',
        ({ released }, labels) => byReason(released, labels),
      ),
      this.facts(
        'bentots_runner_refused_total',
        'counter',
        'Calls that were refused or left the queue unexecuted, by reason',
        ({ refused }, labels) => byReason(refused, labels),
      ),
      ...this.queueFacts(),
    ];
  }

  private queueFacts(): readonly MetricFacts[] {
    const gauge = (
      name: string,
      help: string,
      read: (queue: WatchedQueue) => number | undefined,
      aggregator: MetricAggregator = 'sum',
    ): MetricFacts =>
      this.facts(
        name,
        'gauge',
        help,
        ({ queue }, labels) => {
          const value = queue && read(queue);
          return value === undefined ? [] : [{ labels, value }];
        },
        aggregator,
      );
    const seconds = (ms: number | undefined): number | undefined => (ms === undefined ? ms : ms / 1000);
    return [
      gauge('bentots_runner_queue_rows', 'Rows that wait for a worker', (queue) => queue.queuedRows),
      gauge('bentots_runner_queue_bytes', 'Bytes of the calls that wait', (queue) => queue.queuedBytes),
      gauge(
        'bentots_runner_cost_fixed_seconds',
        'What every batch is expected to take, whatever its size',
        (queue) => seconds(queue.cost?.fixedMs),
        'max',
      ),
      gauge(
        'bentots_runner_cost_per_row_seconds',
        'What each row is expected to add',
        (queue) => seconds(queue.cost?.perRowMs),
        'max',
      ),
    ];
  }

  private facts(
    name: string,
    type: MetricType,
    help: string,
    sample: Sampler,
    aggregator: MetricAggregator = 'sum',
  ): MetricFacts {
    const values = [...this.methods].flatMap(([method, series]) =>
      sample(series, { ...this.labels, method_name: method }, name),
    );
    return { name, help, type, aggregator, values };
  }

  private seriesOf(method: string): MethodSeries {
    const known = this.methods.get(method);
    if (known !== undefined) return known;
    const series: MethodSeries = {
      sizes: new Map(),
      waits: new HistogramSeries(SECONDS),
      holds: new HistogramSeries(SECONDS),
      executions: new HistogramSeries(SECONDS),
      errors: new HistogramSeries(RATIOS),
      released: new Map(),
      refused: new Map(),
      queue: undefined,
    };
    this.methods.set(method, series);
    return series;
  }

  private sizesOf({ sizes }: MethodSeries, worker: number): HistogramSeries {
    const known = sizes.get(worker);
    if (known !== undefined) return known;
    const series = new HistogramSeries(this.sizeBuckets);
    sizes.set(worker, series);
    return series;
  }
}

const sizesOf: Sampler = ({ sizes }, labels, name) =>
  [...sizes].flatMap(([worker, series]) => series.samples(name, { ...labels, worker_index: String(worker) }));

function byReason(counts: ReadonlyMap<string, number>, labels: Labels): MetricSample[] {
  return [...counts].map(([reason, value]) => ({ labels: { ...labels, reason }, value }));
}

function countUp(counts: Map<string, number>, reason: string): void {
  counts.set(reason, (counts.get(reason) ?? 0) + 1);
}
