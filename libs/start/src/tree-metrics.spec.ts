import { fileURLToPath } from 'node:url';

import {
  Arbiter,
  type RestartPolicy,
  type SupervisorEvent,
  type TreeStatus,
  type WorkerStatus,
} from '@bentots/supervisor';
import { afterEach, describe, expect, test } from 'vitest';

import { TreeMetrics } from './tree-metrics.js';

const worker = (workerId: number, more: Partial<WorkerStatus> = {}): WorkerStatus => ({
  workerId,
  state: 'ready',
  generation: 1,
  pid: 100 + workerId,
  restarts: 0,
  restartsByReason: {},
  startedAt: '2026-01-31T10:00:00.500Z',
  uptimeMs: 9000,
  readyForMs: 8000,
  cpu: 0.25,
  rssBytes: 1000,
  lagMs: 12,
  utilization: 0.5,
  heartbeatLagMs: 3,
  connections: 4,
  beat: {
    lateMs: 3,
    lagMs: 12,
    lagP50Ms: 1,
    utilization: 0.5,
    cpu: 0.25,
    rssBytes: 1000,
    heapBytes: 500,
    connections: 0,
  },
  spares: [],
  lastExit: undefined,
  lastError: undefined,
  ...more,
});

const treeOf = (...workers: readonly WorkerStatus[]): TreeStatus => ({
  name: 'test',
  state: 'running',
  pid: 1,
  sockets: [],
  watchers: [{ name: 'web', state: 'active', numProcesses: workers.length, workers }],
});

/** Every sample by its name and labels. */
async function scrape(metrics: { text(): Promise<string> }): Promise<ReadonlyMap<string, number>> {
  const lines = (await metrics.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.replace(/ \S+$/, ''), Number(line.split(' ').at(-1))]));
}

const who = { watcher: 'web', workerId: 1, generation: 1, pid: 101 };

describe('gauges', () => {
  test('tell how each worker is doing, in base units', async () => {
    const samples = await scrape(new TreeMetrics(['web'], () => treeOf(worker(1))));
    const one = (name: string) => samples.get(`bentots_worker_${name}{watcher="web",worker="1"}`);
    expect(one('up')).toBe(1);
    expect(one('cpu_usage_ratio')).toBe(0.25);
    expect(one('resident_memory_bytes')).toBe(1000);
    expect(one('heap_used_bytes')).toBe(500);
    expect(one('event_loop_lag_seconds')).toBe(0.012);
    expect(one('event_loop_utilization_ratio')).toBe(0.5);
    expect(one('heartbeat_lag_seconds')).toBe(0.003);
    expect(one('connections')).toBe(4);
    expect(one('start_time_seconds')).toBe(Date.parse('2026-01-31T10:00:00.500Z') / 1000);
    expect(samples.get('bentots_workers{watcher="web"}')).toBe(1);
    expect(samples.get('bentots_arbiter_resident_memory_bytes')).toBeGreaterThan(1e6);
  });

  test('count the workers in each state, those without any too', async () => {
    const samples = await scrape(
      new TreeMetrics(['web'], () => treeOf(worker(1), worker(2, { state: 'crash-looping' }), worker(3))),
    );
    const state = (name: string) => samples.get(`bentots_worker_state{watcher="web",state="${name}"}`);
    expect(state('ready')).toBe(2);
    expect(state('crash-looping')).toBe(1);
    expect(state('draining')).toBe(0);
  });

  test('count the processes that wait to be the next ones', async () => {
    const spares = [
      { pid: 7, isWarm: true },
      { pid: 8, isWarm: false },
    ];
    const samples = await scrape(new TreeMetrics(['web'], () => treeOf(worker(1, { spares }), worker(2))));
    expect(samples.get('bentots_worker_spares{watcher="web"}')).toBe(2);
  });

  test('of a worker that has no process, or has not beaten yet, are not there', async () => {
    const none = { cpu: undefined, rssBytes: undefined, lagMs: undefined, utilization: undefined };
    const gone = { ...none, heartbeatLagMs: undefined, beat: undefined, startedAt: undefined };
    const samples = await scrape(
      new TreeMetrics(['web'], () => treeOf(worker(1, { ...gone, state: 'backing-off', pid: undefined }))),
    );
    const names = [...samples.keys()].filter((name) => name.includes('worker="1"'));
    expect(names).toEqual([
      'bentots_worker_up{watcher="web",worker="1"}',
      'bentots_worker_connections{watcher="web",worker="1"}',
    ]);
    expect(samples.get('bentots_worker_up{watcher="web",worker="1"}')).toBe(0);
  });

  test('of a worker that was taken away are gone', async () => {
    const workers = [worker(1), worker(2)];
    const metrics = new TreeMetrics(['web'], () => treeOf(...workers));
    expect([...(await scrape(metrics)).keys()].filter((name) => name.includes('worker="2"'))).not.toEqual([]);
    workers.pop();
    expect([...(await scrape(metrics)).keys()].filter((name) => name.includes('worker="2"'))).toEqual([]);
  });
});

describe('counters and histograms', () => {
  const tell = (...events: readonly SupervisorEvent[]) => {
    const metrics = new TreeMetrics(['web'], () => treeOf());
    for (const event of events) metrics.onEvent(event);
    return scrape(metrics);
  };
  const exited = { type: 'worker-exited', code: null, signal: null, expected: false, livedMs: 1 } as const;

  test('are there, at zero, before anything happened', async () => {
    const samples = await tell();
    expect(samples.get('bentots_worker_restarts_total{watcher="web",reason="max-requests"}')).toBe(0);
    expect(samples.get('bentots_worker_exits_total{watcher="web",reason="grace-time-is-over"}')).toBe(0);
    expect(samples.get('bentots_worker_crash_loops_total{watcher="web"}')).toBe(0);
  });

  test('add up what events tell', async () => {
    const samples = await tell(
      { type: 'worker-ready', tookMs: 300, info: null, ...who },
      { type: 'worker-restarting', reason: 'crashed', delayMs: 0, ...who },
      { type: 'worker-restarting', reason: 'crashed', delayMs: 100, ...who },
      { type: 'crash-loop', crashes: 3, windowMs: 1, ...who },
      { ...exited, reason: 'heartbeat stopped', ...who },
      { ...exited, reason: 'asked', drainMs: 700, ...who },
      { type: 'worker-draining', ...who },
    );
    expect(samples.get('bentots_worker_restarts_total{watcher="web",reason="crashed"}')).toBe(2);
    expect(samples.get('bentots_worker_restarts_total{watcher="web",reason="left"}')).toBe(0);
    expect(samples.get('bentots_worker_crash_loops_total{watcher="web"}')).toBe(1);
    expect(samples.get('bentots_worker_exits_total{watcher="web",reason="heartbeat-stopped"}')).toBe(1);
    expect(samples.get('bentots_worker_start_duration_seconds_sum{watcher="web"}')).toBe(0.3);
    expect(samples.get('bentots_worker_start_duration_seconds_bucket{le="0.25",watcher="web"}')).toBe(0);
    expect(samples.get('bentots_worker_start_duration_seconds_bucket{le="0.5",watcher="web"}')).toBe(1);
    expect(samples.get('bentots_worker_drain_duration_seconds_count{watcher="web"}')).toBe(1);
    expect(samples.get('bentots_worker_drain_duration_seconds_sum{watcher="web"}')).toBe(0.7);
  });
});

describe('in a tree of real processes', () => {
  const arbiters: Arbiter[] = [];
  afterEach(async () => {
    await Promise.all(arbiters.splice(0).map((arbiter) => arbiter.stop()));
  });

  async function startTree(restart: Partial<RestartPolicy> = {}) {
    const entry = fileURLToPath(new URL('../test/worker.mjs', import.meta.url));
    const data = { target: { workingDir: '/' }, socket: 'http' };
    const events: SupervisorEvent[] = [];
    const watchers = [{ name: 'web', entry, numProcesses: 2, sockets: ['http'], data, restart }];
    const metrics = new TreeMetrics(['web'], () => arbiter.status());
    const looks = new Set<() => void>();
    const onEvent = (event: SupervisorEvent): void => {
      metrics.onEvent(event);
      events.push(event);
      for (const look of looks) look();
    };
    const arbiter = new Arbiter(
      { name: 'test', sockets: [{ name: 'http' }], watchers },
      { onEvent, metrics },
    );
    arbiters.push(arbiter);
    await arbiter.start();
    const seen = (type: SupervisorEvent['type'], count: number) =>
      new Promise<void>((resolve) => {
        const look = (): void => {
          if (events.filter((event) => event.type === type).length >= count) resolve();
        };
        looks.add(look);
        look();
      });
    const killAll = (): void => {
      const workers = arbiter.status().watchers.flatMap((watcher) => watcher.workers);
      for (const { pid } of workers) if (pid !== undefined) process.kill(pid, 'SIGKILL');
    };
    return { arbiter, seen, killAll, scrape: () => scrape({ text: () => arbiter.metricsText() }) };
  }

  test('no total falls when every worker is killed with -9, again and again', async () => {
    const tree = await startTree({ initialDelayMs: 10 });
    let before = await tree.scrape();
    for (let round = 1; round <= 2; round += 1) {
      tree.killAll();
      await tree.seen('worker-exited', 2 * round);
      const down = await tree.scrape();
      await tree.seen('worker-ready', 2 + 2 * round);
      const after = await tree.scrape();
      for (const [name, value] of before) {
        if (!/_(total|count|sum|bucket)(\{|$)/.test(name)) continue;
        expect(down.get(name), name).toBeGreaterThanOrEqual(value);
        expect(after.get(name), name).toBeGreaterThanOrEqual(down.get(name) ?? 0);
      }
      before = after;
    }
    expect(before.get('bentots_worker_restarts_total{watcher="web",reason="crashed"}')).toBe(4);
    expect(before.get('bentots_worker_exits_total{watcher="web",reason="crashed"}')).toBe(4);
    expect(before.get('bentots_worker_start_duration_seconds_count{watcher="web"}')).toBe(6);
    expect(before.get('bentots_worker_state{watcher="web",state="ready"}')).toBe(2);
    await tree.arbiter.stop();
    const end = await tree.scrape();
    expect(end.get('bentots_worker_exits_total{watcher="web",reason="asked"}')).toBe(2);
    expect(end.get('bentots_worker_drain_duration_seconds_count{watcher="web"}')).toBe(2);
    expect(end.get('bentots_worker_state{watcher="web",state="stopped"}')).toBe(2);
    expect(end.get('bentots_worker_up{watcher="web",worker="1"}')).toBe(0);
  });

  test('the series of a worker that is taken away go, and what it counted stays', async () => {
    const tree = await startTree();
    const ofSecond = async () =>
      [...(await tree.scrape()).keys()].filter((name) => name.includes('worker="2"'));
    expect(await ofSecond()).toContain('bentots_worker_up{watcher="web",worker="2"}');
    await tree.arbiter.setNumProcesses('web', 1);
    expect(await ofSecond()).toEqual([]);
    const samples = await tree.scrape();
    expect(samples.get('bentots_workers{watcher="web"}')).toBe(1);
    expect(samples.get('bentots_worker_exits_total{watcher="web",reason="asked"}')).toBe(1);
    expect(samples.get('bentots_worker_start_duration_seconds_count{watcher="web"}')).toBe(2);
  });

  test('no gauge of a process stays when it was killed with -9 and none takes its place', async () => {
    const tree = await startTree({ maxCrashes: 0, maxDelayMs: 600_000, onCrashLoop: 'keep' });
    expect((await tree.scrape()).get('bentots_worker_up{watcher="web",worker="1"}')).toBe(1);
    tree.killAll();
    await tree.seen('crash-loop', 2);
    const down = await tree.scrape();
    const names = [...down.keys()].filter((name) => name.includes('worker="1"'));
    expect(names.filter((name) => !/_up|_connections/.test(name))).toEqual([]);
    expect(down.get('bentots_worker_up{watcher="web",worker="1"}')).toBe(0);
    expect(down.get('bentots_worker_state{watcher="web",state="crash-looping"}')).toBe(2);
    expect(down.get('bentots_worker_crash_loops_total{watcher="web"}')).toBe(2);
    expect(down.get('bentots_workers{watcher="web"}')).toBe(2);
  });
});
