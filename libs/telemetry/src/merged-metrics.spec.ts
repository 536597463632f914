import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MergedMetrics } from './merged-metrics.js';
import { MetricsRegistry } from './metrics-registry.js';
import type { MetricFacts } from './metrics-snapshot.js';
import { createApiMetrics } from './server-metrics.js';

const counter = (value: number, name = 'jobs_total'): MetricFacts => ({
  name,
  help: 'Jobs',
  type: 'counter',
  aggregator: 'sum',
  values: [{ labels: { kind: 'a' }, value }],
});
const gauge = (value: number): MetricFacts => ({
  name: 'open',
  help: 'Open',
  type: 'gauge',
  aggregator: 'sum',
  values: [{ labels: {}, value }],
});

async function valueOf(merged: MergedMetrics, line: string): Promise<number | undefined> {
  const found = (await merged.text()).split('\n').find((text) => text.startsWith(`${line} `));
  return found === undefined ? undefined : Number(found.slice(line.length + 1));
}

/** One worker's life: requests of 1 ms each, one of them still running. */
async function snapshotOf(requests: number) {
  const registry = new MetricsRegistry();
  const metrics = createApiMetrics(registry, { service: 'demo', version: '1', label: 'endpoint' });
  for (let i = 0; i < requests; i++) metrics.begin('/predict')(200);
  metrics.begin('/predict');
  return registry.snapshot();
}

describe('merged metrics', () => {
  test('are the sum over living sources', async () => {
    const merged = new MergedMetrics();
    merged.update('worker 1', [counter(2), gauge(1)]);
    merged.update('worker 2', [counter(3), gauge(1)]);
    expect(await valueOf(merged, 'jobs_total{kind="a"}')).toBe(5);
    expect(await valueOf(merged, 'open')).toBe(2);
  });

  test('take the latest report of a source, not the sum of its reports', async () => {
    const merged = new MergedMetrics();
    merged.update('worker 1', [counter(2)]);
    merged.update('worker 1', [counter(7)]);
    expect(await valueOf(merged, 'jobs_total{kind="a"}')).toBe(7);
  });

  test('keep the counters and drop the gauges of a source that is gone', async () => {
    const merged = new MergedMetrics();
    merged.update('worker 1', [counter(2), gauge(1)]);
    merged.retire('worker 1');
    expect(await valueOf(merged, 'jobs_total{kind="a"}')).toBe(2);
    expect(await valueOf(merged, 'open')).toBeUndefined();
  });

  test('lose and double nothing over any order of reports and deaths', async () => {
    const event = fc.record({
      source: fc.constantFrom('a', 'b', 'c'),
      dies: fc.boolean(),
      more: fc.nat(100),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 60 }), async (events) => {
        const merged = new MergedMetrics();
        const own = new Map<string, number>();
        let total = 0;
        for (const { source, dies, more } of events) {
          own.set(source, (own.get(source) ?? 0) + more);
          total += more;
          merged.update(source, [counter(own.get(source) ?? 0)]);
          if (dies) {
            merged.retire(source);
            own.delete(source);
          }
        }
        expect((await valueOf(merged, 'jobs_total{kind="a"}')) ?? 0).toBe(total);
      }),
    );
  });

  test('do not grow with the number of the dead', async () => {
    const merged = new MergedMetrics();
    const lengths = new Set<number>();
    for (let life = 1; life <= 50; life++) {
      merged.update(`generation ${life}`, [counter(1)]);
      merged.retire(`generation ${life}`);
      if (life >= 10) lengths.add((await merged.text()).length);
    }
    expect(lengths.size).toBe(1);
    expect(await valueOf(merged, 'jobs_total{kind="a"}')).toBe(50);
  });

  test('keep histograms whole: buckets, sum and count', async () => {
    const merged = new MergedMetrics();
    for (const [name, requests] of [
      ['a', 3],
      ['b', 4],
      ['c', 5],
    ] as const) {
      merged.update(name, await snapshotOf(requests));
    }
    merged.retire('a');
    merged.retire('b');
    const labels = 'endpoint="/predict",service_name="demo",service_version="1",http_response_code="200"';
    const name = 'bentoml_api_server_request_duration_seconds';
    expect(await valueOf(merged, `${name}_count{${labels}}`)).toBe(12);
    expect(await valueOf(merged, `${name}_bucket{le="+Inf",${labels}}`)).toBe(12);
    expect(await valueOf(merged, `bentoml_api_server_request_total{${labels}}`)).toBe(12);
    const running = 'endpoint="/predict",service_name="demo",service_version="1"';
    expect(await valueOf(merged, `bentoml_api_server_request_in_progress{${running}}`)).toBe(1);
  });

  test('render again only when something is new', async () => {
    const merged = new MergedMetrics();
    merged.update('worker 1', [counter(2)]);
    const before = merged.text();
    merged.update('worker 1', [counter(2)]);
    merged.retire('never seen');
    expect(merged.text()).toBe(before);
    merged.update('worker 1', [counter(3)]);
    expect(merged.text()).not.toBe(before);
  });

  test('survive reports that are no metrics', async () => {
    const merged = new MergedMetrics();
    for (const odd of [
      undefined,
      null,
      7,
      [null],
      [{ name: 'x' }],
      [{ ...counter(1, 'odd'), values: [{}] }],
    ]) {
      merged.update('odd', odd);
    }
    merged.update('summary', [{ ...counter(1, 's'), type: 'summary' }]);
    merged.update('future', [{ ...counter(1), aggregator: 'median' }]);
    merged.update('fine', [counter(1)]);
    expect(await valueOf(merged, 'jobs_total{kind="a"}')).toBe(2);
    expect(await merged.text()).not.toContain('summary');
  });

  test('escape what would break a line', async () => {
    const merged = new MergedMetrics();
    const value = { labels: { path: 'a"b\\c\nd' }, value: 1 };
    merged.update('w', [{ ...counter(1), values: [value] }]);
    expect(await merged.text()).toContain(String.raw`jobs_total{path="a\"b\\c\nd"} 1`);
  });
});
