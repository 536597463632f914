import { readFileSync } from 'node:fs';

import { EXIT_REASONS, RESTART_REASONS, type TreeStatus } from '@bentots/supervisor';
import { createApiMetrics, createRunnerMetrics, MetricsRegistry } from '@bentots/telemetry';
import { expect, test } from 'vitest';

import { TreeMetrics } from './tree-metrics.js';

const doc = readFileSync(new URL('../../../docs/metrics.md', import.meta.url), 'utf8');

const status: TreeStatus = {
  name: 'test',
  state: 'running',
  pid: 1,
  sockets: [],
  watchers: [
    {
      name: 'web',
      state: 'active',
      numProcesses: 1,
      workers: [
        {
          workerId: 1,
          state: 'ready',
          generation: 1,
          pid: 1,
          restarts: 0,
          restartsByReason: {},
          startedAt: new Date().toISOString(),
          uptimeMs: 1,
          readyForMs: 1,
          cpu: 0,
          rssBytes: 1,
          lagMs: 0,
          utilization: 0,
          heartbeatLagMs: 0,
          connections: 0,
          beat: {
            lateMs: 0,
            lagMs: 0,
            lagP50Ms: 0,
            utilization: 0,
            cpu: 0,
            rssBytes: 1,
            heapBytes: 1,
            connections: 0,
          },
          spares: [],
          lastExit: undefined,
          lastError: undefined,
        },
      ],
    },
  ],
};

/** The text of a tree in which each metric has a sample. */
async function scrape(): Promise<string> {
  const registry = new MetricsRegistry();
  for (const label of ['endpoint', 'api_name'] as const) {
    createApiMetrics(registry, { service: 'demo', version: '1', label }).begin('/predict')(200);
  }
  const runner = createRunnerMetrics(registry, { service: 'demo', runner: 'm', maxBatchSize: 4 });
  runner.begin('predict')(200);
  const times = { waitMs: 1, holdMs: 1, executeMs: 1, expectedMs: 1 };
  runner.batch('predict', { rows: 2, worker: 1, isBatch: true, reason: 'idle', ...times });
  runner.refused('predict', 'deadline');
  runner.watchQueue('predict', { queuedRows: 0, queuedBytes: 0, cost: { fixedMs: 1, perRowMs: 1 } });
  const who = { watcher: 'web', workerId: 1, generation: 1, pid: 1 };
  const metrics = new TreeMetrics(['web'], () => status);
  metrics.update('web:1:1', await registry.snapshot());
  metrics.onEvent({ type: 'worker-ready', tookMs: 1, info: null, ...who });
  const end = { code: 0, signal: null, expected: true, reason: 'asked', livedMs: 2, drainMs: 1 } as const;
  metrics.onEvent({ type: 'worker-exited', ...end, ...who });
  return metrics.text();
}

interface Family {
  readonly type: string;
  readonly labels: readonly string[];
}

function familiesOf(text: string): ReadonlyMap<string, Family> {
  const samples = [...text.matchAll(/^([a-z_]+)(?:\{(.*)\})? /gm)];
  return new Map(
    [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type = '']) => {
      const own = samples.filter(([, sample = '']) => sample.replace(/_(bucket|sum|count)$/, '') === name);
      const labels = own.flatMap(([, , pairs = '']) =>
        [...pairs.matchAll(/(\w+)="/g)].map(([, label = '']) => label),
      );
      return [name, { type, labels: [...new Set(labels)].filter((label) => label !== 'le').sort() }];
    }),
  );
}

function familiesOfDoc(): ReadonlyMap<string, Family> {
  const rows = [...doc.matchAll(/^\| `(bento\w+)` *\| (\w+) *\| ([^|]*)\|/gm)];
  return new Map(
    rows.map(([, name = '', type = '', labels = '']) => [
      name,
      { type, labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label = '']) => label).sort() },
    ]),
  );
}

const byName = (families: ReadonlyMap<string, Family>) =>
  Object.fromEntries([...families].sort(([a], [b]) => (a < b ? -1 : 1)));

test('docs/metrics.md lists every metric with its type and labels, and no other', async () => {
  expect(byName(familiesOfDoc())).toEqual(byName(familiesOf(await scrape())));
});

test('docs/metrics.md names every reason of a restart and of an exit', () => {
  const reasons = [...RESTART_REASONS, ...EXIT_REASONS].map((reason) => reason.replaceAll(' ', '-'));
  expect(reasons.filter((reason) => !doc.includes(`\`${reason}\``))).toEqual([]);
});

test('names follow the rules of Prometheus: a help, base units, `_total` for counters and for nothing else', async () => {
  const text = await scrape();
  const families = [...familiesOf(text)];
  expect(families.length).toBeGreaterThan(20);
  for (const [name, { type, labels }] of families) {
    expect(text).toMatch(new RegExp(`^# HELP ${name} [A-Z].*[^.]$`, 'm'));
    expect(name.endsWith('_total'), name).toBe(type === 'counter');
    expect(name).toMatch(/^[a-z][a-z_]*[a-z]$/);
    expect(name).not.toMatch(
      /_(ms|milliseconds|kilobytes|megabytes|percent|bucket|sum|count|gauge|counter)(_|$)/,
    );
    expect(labels.filter((label) => !/^[a-z][a-z_]*$/.test(label))).toEqual([]);
  }
});
