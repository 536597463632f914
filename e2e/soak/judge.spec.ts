import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Mishap } from '@bentots/load';
import { type Excuse, findStuckGauges, findUnaccounted, isExcused, judgeMemory } from './judge.js';
import { planStrikes } from './strikes.js';

const mishap = (outcome: Mishap['outcome'], sentAtMs: number, endedAtMs: number): Mishap => ({
  load: 'http: keep-alive',
  outcome,
  message: '',
  sentAtMs,
  endedAtMs,
});
const excuse = (kind: Excuse['kind'], fromMs: number, untilMs: number, tree = 'http'): Excuse => ({
  kind,
  trees: [tree],
  fromMs,
  untilMs,
});

describe('a request that was not answered rightly', () => {
  const death = [excuse('death', 10_000, 10_000)];

  test('is excused when it was in flight while a process of its tree was killed', () => {
    expect(isExcused(mishap('lost', 9000, 10_001), death)).toBe(true);
    expect(isExcused(mishap('lost', 10_100, 10_200), death)).toBe(true);
  });

  test('is not when it ended before the kill, began well after it, or was of another tree', () => {
    expect(isExcused(mishap('lost', 9000, 9999), death)).toBe(false);
    expect(isExcused(mishap('lost', 11_000, 12_000), death)).toBe(false);
    expect(isExcused(mishap('lost', 9000, 10_001), [excuse('death', 10_000, 10_000, 'grpc')])).toBe(false);
  });

  test('is never excused when the answer is wrong or does not come', () => {
    const all = (['death', 'down', 'runner down'] as const).map((kind) => excuse(kind, 0, Infinity));
    expect(isExcused(mishap('wrong', 5, 6), all)).toBe(false);
    expect(isExcused(mishap('late', 5, 6), all)).toBe(false);
  });

  test('may be refused only while its tree is down, and unavailable only while its runner is', () => {
    const down = [excuse('down', 10_000, 12_000)];
    const runnerDown = [excuse('runner down', 10_000, 12_000)];
    const [refused, unavailable] = [mishap('refused', 11_000, 11_001), mishap('unavailable', 11_000, 11_001)];
    expect(isExcused(refused, down)).toBe(true);
    expect(isExcused(refused, death)).toBe(false);
    expect(isExcused(refused, runnerDown)).toBe(false);
    expect(isExcused(unavailable, runnerDown)).toBe(true);
    expect(isExcused(unavailable, death)).toBe(false);
    expect(isExcused(mishap('lost', 11_000, 11_001), runnerDown)).toBe(false);
  });
});

describe('gauges', () => {
  const watchers = { http_api: 2 };
  const types = [
    'bentoml_api_server_request_in_progress',
    'bentots_runner_queue_rows',
    'bentots_worker_state',
    'bentots_worker_up',
  ].map((name) => `# TYPE ${name} gauge`);
  const up = [1, 2].map((worker) => `bentots_worker_up{watcher="http_api",worker="${worker}"} 1`);
  const judge = (...lines: readonly string[]): string[] =>
    findStuckGauges([...types, ...up, ...lines].join('\n'), watchers);

  test('are stuck when something is in progress or waits, or a worker is not ready', () => {
    const stuck = [
      'bentoml_api_server_request_in_progress{endpoint="/predict"} 1',
      'bentots_runner_queue_rows{runner_name="matmul"} 2',
      'bentots_worker_state{watcher="http_api",state="backing-off"} 1',
      'bentots_worker_state{watcher="http_api",state="ready"} 1',
    ];
    expect(judge(...stuck)).toEqual(stuck);
  });

  test('are at rest when they are zero, or tell of the asking itself; counters never rest', () => {
    const fine = [
      'bentoml_api_server_request_in_progress{endpoint="/predict"} 0',
      'bentoml_api_server_request_in_progress{endpoint="/metrics"} 1',
      'bentots_worker_state{watcher="http_api",state="ready"} 2',
      'bentots_worker_state{watcher="http_api",state="held"} 0',
      '# TYPE bentoml_api_server_request_total counter',
      'bentoml_api_server_request_total{endpoint="/predict"} 12',
    ];
    expect(judge(...fine)).toEqual([]);
  });

  test('of docs/metrics.md are all known', () => {
    const doc = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
    const gauges = [...doc.matchAll(/^\| `(\w+)` +\| gauge /gm)].map(([, name]) => `# TYPE ${name} gauge`);
    expect(gauges.length).toBeGreaterThan(15);
    expect(judge(...gauges)).toEqual([]);
  });

  test('that nobody knows are a fault, and workers that none tells of', () => {
    expect(judge('# TYPE bentots_new gauge')).toEqual(['bentots_new is a gauge that the soak does not know']);
    const metrics = [...types, up[0]].join('\n');
    expect(findStuckGauges(metrics, watchers)).toEqual(['1 workers of http_api are told of, not 2']);
  });
});

test('every process of an arbiter that was not killed has one start and one end', () => {
  const line = (what: string, pid: number): string =>
    `[DEBUG] ... event=worker-${what} watcher=http_api worker=1 generation=1 pid=${pid}\n`;
  const started = line('started', 1) + line('started', 2);
  expect(findUnaccounted(started + line('exited', 1) + line('exited', 2))).toEqual([]);
  expect(findUnaccounted(started + line('exited', 1) + line('exited', 1) + line('exited', 3))).toEqual([
    'process 1 was started 1 and ended 2 times',
    'process 2 was started 1 and ended 0 times',
    'process 3 was started 0 and ended 1 times',
  ]);
});

describe('memory', () => {
  const judge = (mib: number[]): boolean | undefined =>
    judgeMemory({ name: 'http: x 1', pid: 1, mib })?.isFlat;
  const grow = (perSample: number, samples = 110): number[] =>
    Array.from({ length: samples }, (_, index) => 70 + perSample * index);

  test('is flat when the last third is about as large as the first', () => {
    expect(judge(grow(0.1))).toBe(true);
    expect(judge(grow(1.5))).toBe(false);
  });

  test('of a process that was just started tells nothing, nor does its start', () => {
    expect(judge(grow(2, 49))).toBeUndefined();
    const steep = Array.from({ length: 20 }, (_, index) => 5 * index);
    expect(judge([...steep, ...grow(0.1, 90)])).toBe(true);
  });
});

describe('the killer', () => {
  const row = (seed: number): string[] => {
    const strikes = planStrikes(seed, 4);
    return Array.from({ length: 500 }, () => JSON.stringify(strikes.next().value));
  };

  test('does the same for the same seed, and something else for another', () => {
    expect(row(3)).toEqual(row(3));
    expect(row(3)).not.toEqual(row(4));
  });

  test('comes to every tree with every kind of strike', () => {
    const strikes = row(1).map((strike) => JSON.parse(strike) as { kind: string; tree: number });
    expect(new Set(strikes.map(({ tree }) => tree))).toEqual(new Set([0, 1, 2, 3]));
    expect(new Set(strikes.map(({ kind }) => kind)).size).toBe(4);
  });
});
