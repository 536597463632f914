import { describe, expect, test } from 'vitest';
import { MergedMetrics } from './merged-metrics.js';
import { MetricsRegistry } from './metrics-registry.js';
import { createApiMetrics } from './server-metrics.js';

async function textOf(registry: MetricsRegistry): Promise<string> {
  const merged = new MergedMetrics();
  merged.update('test', await registry.snapshot());
  return merged.text();
}

describe('API metrics', () => {
  test('carry the names, labels and buckets of the reference', async () => {
    const registry = new MetricsRegistry();
    const metrics = createApiMetrics(registry, { service: 'demo', version: null, label: 'endpoint' });
    metrics.begin('/predict')(200);
    metrics.begin('/predict')(503);
    const text = await textOf(registry);
    const same = 'endpoint="/predict",service_name="demo",service_version="not available"';
    expect(text).toContain('# TYPE bentoml_api_server_request_duration_seconds histogram');
    expect(text).toContain(`bentoml_api_server_request_total{${same},http_response_code="200"} 1`);
    expect(text).toContain(`bentoml_api_server_request_total{${same},http_response_code="503"} 1`);
    expect(text).toContain(`bentoml_api_server_request_in_progress{${same}} 0`);
    const bounds = [...text.matchAll(/_bucket\{le="([^"]+)",.*code="200"/g)].map((match) => match[1]);
    expect(bounds.join(' ')).toBe('0.005 0.01 0.025 0.05 0.075 0.1 0.25 0.5 0.75 1 2.5 5 7.5 10 +Inf');
  });

  test('say api_name for gRPC', async () => {
    const registry = new MetricsRegistry();
    createApiMetrics(registry, { service: 'demo', version: '2', label: 'api_name' }).begin('predict')(0);
    expect(await textOf(registry)).toContain('{api_name="predict",service_name="demo",service_version="2"');
  });

  test('put a duration into its bucket and all above', async () => {
    const registry = new MetricsRegistry();
    const buckets = [1e-9, 3600, 7200];
    createApiMetrics(registry, { service: 'demo', label: 'endpoint', buckets }).begin('/x')(200);
    const text = await textOf(registry);
    const counts = [...text.matchAll(/_bucket\{.*\} (\d+)/g)].map((match) => Number(match[1]));
    expect(counts).toEqual([0, 1, 1, 1]);
  });

  test('count what is running', async () => {
    const registry = new MetricsRegistry();
    const metrics = createApiMetrics(registry, { service: 'demo', label: 'endpoint' });
    const end = metrics.begin('/x');
    metrics.begin('/x');
    expect(await textOf(registry)).toMatch(/in_progress\{.*\} 2/);
    end(200);
    expect(await textOf(registry)).toMatch(/in_progress\{.*\} 1/);
  });
});
