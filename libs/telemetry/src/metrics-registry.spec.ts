import { ServeError } from '@bentots/errors';
import { describe, expect, test } from 'vitest';
import { MetricsRegistry } from './metrics-registry.js';

describe('a registry', () => {
  test('shows what its metrics counted, JSON-safe', async () => {
    const registry = new MetricsRegistry();
    registry.counter('jobs_total', 'Jobs', ['kind']).inc({ kind: 'a' }, 2);
    registry.gauge('open', 'Open', []).set({}, 3);
    registry.histogram('size', 'Sizes', [], [1, 2]).observe({}, 1.5);
    const snapshot = await registry.snapshot();
    expect(JSON.parse(JSON.stringify(snapshot))).toEqual(snapshot);
    expect(snapshot.map(({ name, type }) => [name, type])).toEqual([
      ['jobs_total', 'counter'],
      ['open', 'gauge'],
      ['size', 'histogram'],
    ]);
    expect(snapshot[0]?.values).toEqual([{ labels: { kind: 'a' }, value: 2 }]);
  });

  test('shares nothing with another registry of the process', async () => {
    const [a, b] = [new MetricsRegistry(), new MetricsRegistry()];
    a.counter('jobs_total', 'Jobs').inc({});
    b.counter('jobs_total', 'Jobs').inc({}, 5);
    expect((await a.snapshot())[0]?.values[0]?.value).toBe(1);
    expect((await b.snapshot())[0]?.values[0]?.value).toBe(5);
  });

  test('refuses a name that Prometheus does not allow, and names it', () => {
    expect(() => new MetricsRegistry().counter('my jobs', 'Jobs')).toThrow(
      expect.objectContaining({ code: 'invalid_option', message: expect.stringContaining("'my jobs'") }),
    );
  });

  test('refuses a name that is taken', () => {
    const registry = new MetricsRegistry();
    registry.gauge('open', 'Open');
    expect(() => registry.gauge('open', 'Open')).toThrow(ServeError);
  });

  test('includes sources that keep their own numbers', async () => {
    const registry = new MetricsRegistry();
    registry.add({
      collect: () => [{ name: 'own', help: 'Own', type: 'gauge', aggregator: 'sum', values: [] }],
    });
    expect((await registry.snapshot()).map((metric) => metric.name)).toEqual(['own']);
  });
});
