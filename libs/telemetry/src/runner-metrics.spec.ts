import { describe, expect, test } from 'vitest';
import { MergedMetrics } from './merged-metrics.js';
import { MetricsRegistry } from './metrics-registry.js';
import { createRunnerMetrics, planBatchSizeBuckets } from './runner-metrics.js';

const OPTIONS = { service: 'demo', version: '1', runner: 'classifier', maxBatchSize: 6 };
const WHO = 'service_name="demo",service_version="1",runner_name="classifier"';
const BATCH = {
  rows: 3,
  worker: 2,
  isBatch: true,
  waitMs: 4,
  holdMs: 2,
  executeMs: 20,
  reason: 'idle',
  expectedMs: 19,
};

async function textOf(registry: MetricsRegistry): Promise<string> {
  const merged = new MergedMetrics();
  merged.update('one', await registry.snapshot());
  return merged.text();
}

describe('runner metrics', () => {
  test('name the runner, and batches by method and worker', async () => {
    const registry = new MetricsRegistry();
    const metrics = createRunnerMetrics(registry, OPTIONS);
    metrics.begin('classify')(200);
    metrics.batch('classify', BATCH);
    const text = await textOf(registry);
    expect(text).toContain(
      `bentoml_runner_request_total{endpoint="/classify",${WHO},http_response_code="200"} 1`,
    );
    const batch = /bentoml_runner_adaptive_batch_size_bucket\{le="4",(.*)\} 1/.exec(text)?.[1] ?? '';
    expect(batch.split(',').sort()).toEqual([
      'method_name="classify"',
      'runner_name="classifier"',
      'service_name="demo"',
      'service_version="1"',
      'worker_index="2"',
    ]);
  });

  test('tell how long batches waited, were held, took and were expected to take', async () => {
    const registry = new MetricsRegistry();
    const metrics = createRunnerMetrics(registry, OPTIONS);
    metrics.batch('classify', BATCH);
    metrics.batch('classify', { ...BATCH, reason: 'full', expectedMs: undefined });
    const text = await textOf(registry);
    const labels = `${WHO},method_name="classify"`;
    expect(text).toContain(`bentots_runner_queue_wait_seconds_sum{${labels}} 0.008`);
    expect(text).toContain(`bentots_runner_batch_hold_seconds_sum{${labels}} 0.004`);
    expect(text).toContain(`bentots_runner_execution_seconds_sum{${labels}} 0.04`);
    expect(text).toContain(`bentots_runner_cost_error_ratio_sum{${labels}} 0.05`);
    expect(text).toContain(`bentots_runner_cost_error_ratio_count{${labels}} 1`);
    expect(text).toContain(`bentots_runner_batches_total{${labels},reason="idle"} 1`);
    expect(text).toContain(`bentots_runner_batches_total{${labels},reason="full"} 1`);
  });

  test('show the queue as it is when they are asked, and what was refused', async () => {
    const registry = new MetricsRegistry();
    const metrics = createRunnerMetrics(registry, OPTIONS);
    const queue = { queuedRows: 0, queuedBytes: 0, cost: { fixedMs: 5, perRowMs: 0.5 } };
    metrics.watchQueue('classify', queue);
    Object.assign(queue, { queuedRows: 7, queuedBytes: 4096 });
    metrics.refused('classify', 'deadline');
    const text = await textOf(registry);
    const labels = `${WHO},method_name="classify"`;
    expect(text).toContain(`bentots_runner_queue_rows{${labels}} 7`);
    expect(text).toContain(`bentots_runner_queue_bytes{${labels}} 4096`);
    expect(text).toContain(`bentots_runner_cost_fixed_seconds{${labels}} 0.005`);
    expect(text).toContain(`bentots_runner_cost_per_row_seconds{${labels}} 0.0005`);
    expect(text).toContain(`bentots_runner_refused_total{${labels},reason="deadline"} 1`);
  });

  test('say nothing of the size of calls that are not batched', async () => {
    const registry = new MetricsRegistry();
    createRunnerMetrics(registry, OPTIONS).batch('embed', { ...BATCH, isBatch: false });
    const text = await textOf(registry);
    expect(text).not.toContain('adaptive_batch_size_count{');
    expect(text).toContain('bentots_runner_execution_seconds_count{');
  });

  test('have batch size buckets of powers of two up to the largest batch', () => {
    expect(planBatchSizeBuckets(100)).toEqual([1, 2, 4, 8, 16, 32, 64, 100]);
    expect(planBatchSizeBuckets(8)).toEqual([1, 2, 4, 8]);
    expect(planBatchSizeBuckets(1)).toEqual([1]);
  });
});
