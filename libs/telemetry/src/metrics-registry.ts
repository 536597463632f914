import { ServeError } from '@bentots/errors';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { type MetricFacts, type MetricsSnapshot, parseSnapshot } from './metrics-snapshot.js';

/** The labels of one sample. */
export type Labels<L extends string> = Partial<Record<L, string | number>>;

/** A number that only grows. */
export interface CounterMetric<L extends string> {
  inc(labels: Labels<L>, value?: number): void;
}

/** A number that goes up and down; over processes it is the sum of the living ones. */
export interface GaugeMetric<L extends string> {
  set(labels: Labels<L>, value: number): void;
  inc(labels: Labels<L>, value?: number): void;
  dec(labels: Labels<L>, value?: number): void;
}

/** Counts of observations by size. */
export interface HistogramMetric<L extends string> {
  observe(labels: Labels<L>, value: number): void;
}

/** Something that keeps its own numbers and shows them when asked; for the hot path. */
export interface MetricsSource {
  collect(): readonly MetricFacts[];
}

/**
 * The metrics of one process. There is no default registry: who measures is handed one, so that two servers in one
 * process, or a test, never mix their numbers.
 */
export class MetricsRegistry {
  private readonly registry = new Registry();
  private readonly sources: MetricsSource[] = [];

  /** A counter. Throws `invalid_option` for a name or label that Prometheus refuses, or a name taken twice. */
  counter<L extends string>(name: string, help: string, labels: readonly L[] = []): CounterMetric<L> {
    return make(name, () => new Counter({ name, help, labelNames: [...labels], registers: [this.registry] }));
  }

  /** A gauge. Throws as {@link counter}. */
  gauge<L extends string>(name: string, help: string, labels: readonly L[] = []): GaugeMetric<L> {
    return make(name, () => new Gauge({ name, help, labelNames: [...labels], registers: [this.registry] }));
  }

  /** A histogram with these upper bounds, ascending, without +Inf. Throws as {@link counter}. */
  histogram<L extends string>(
    name: string,
    help: string,
    labels: readonly L[],
    buckets: readonly number[],
  ): HistogramMetric<L> {
    const settings = { name, help, labelNames: [...labels], buckets: [...buckets] };
    return make(name, () => new Histogram({ ...settings, registers: [this.registry] }));
  }

  /** Adds metrics that keep their own numbers. */
  add(source: MetricsSource): void {
    this.sources.push(source);
  }

  /** All numbers of this moment, JSON-safe. */
  async snapshot(): Promise<MetricsSnapshot> {
    const own = this.sources.flatMap((source) => source.collect());
    const others = this.registry.getMetricsAsArray().length > 0 ? await this.registry.getMetricsAsJSON() : [];
    return [...own, ...parseSnapshot(others)];
  }
}

function make<T>(name: string, create: () => T): T {
  try {
    return create();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ServeError('invalid_option', `metric '${name}' cannot be made: ${reason}`, { cause: error });
  }
}
