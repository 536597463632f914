import {
  EXIT_REASONS,
  type MetricsSink,
  RESTART_REASONS,
  type SupervisorEvent,
  type TreeStatus,
} from '@bentots/supervisor';
import { MergedMetrics, MetricsRegistry } from '@bentots/telemetry';

import { describeTree, gauge } from './tree-gauges.js';

/** From what needs no model to what loads one for minutes. */
const START_BUCKETS_S = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];
const DRAIN_BUCKETS_S = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120];

/** The source under which the arbiter's own metrics are merged; workers' sources have a colon. */
const OWN_SOURCE = 'arbiter';

/**
 * The metrics of a whole tree: what its workers count, merged, and what the arbiter sees of them. Lives in the arbiter, so
 * that the death of a worker takes nothing from a total; gauges are made at each scrape from the tree's status.
 */
export class TreeMetrics implements MetricsSink {
  private readonly merged = new MergedMetrics();
  private readonly registry = new MetricsRegistry();
  private readonly restarts = this.registry.counter(
    'bentots_worker_restarts_total',
    'Workers that were started again, by reason',
    ['watcher', 'reason'],
  );
  private readonly exits = this.registry.counter(
    'bentots_worker_exits_total',
    'Processes of workers that ended, by reason',
    ['watcher', 'reason'],
  );
  private readonly crashLoops = this.registry.counter(
    'bentots_worker_crash_loops_total',
    'Times that a worker crashed more often than its watcher allows',
    ['watcher'],
  );
  private readonly starts = this.registry.histogram(
    'bentots_worker_start_duration_seconds',
    'Time from the start of a process until it was ready',
    ['watcher'],
    START_BUCKETS_S,
  );
  private readonly drains = this.registry.histogram(
    'bentots_worker_drain_duration_seconds',
    'Time from the request to stop until the process was gone',
    ['watcher'],
    DRAIN_BUCKETS_S,
  );

  /** Counters of these watchers are there from the start: a first crash is then an increase, not a new series. */
  constructor(
    watchers: readonly string[],
    private readonly status: () => TreeStatus,
  ) {
    for (const watcher of watchers) {
      for (const reason of RESTART_REASONS) this.restarts.inc({ watcher, reason }, 0);
      for (const reason of EXIT_REASONS) this.exits.inc({ watcher, reason: toLabel(reason) }, 0);
      this.crashLoops.inc({ watcher }, 0);
    }
    this.registry.add({ collect: () => [...describeTree(this.status()), ...describeArbiter()] });
  }

  /** Counts what an event tells. */
  onEvent(event: SupervisorEvent): void {
    switch (event.type) {
      case 'worker-ready':
        this.starts.observe({ watcher: event.watcher }, event.tookMs / 1000);
        return;
      case 'worker-restarting':
        this.restarts.inc({ watcher: event.watcher, reason: event.reason });
        return;
      case 'crash-loop':
        this.crashLoops.inc({ watcher: event.watcher });
        return;
      case 'worker-exited':
        this.exits.inc({ watcher: event.watcher, reason: toLabel(event.reason) });
        if (event.drainMs !== undefined) {
          this.drains.observe({ watcher: event.watcher }, event.drainMs / 1000);
        }
        return;
    }
  }

  update(source: string, snapshot: unknown): void {
    this.merged.update(source, snapshot);
  }

  retire(source: string): void {
    this.merged.retire(source);
  }

  async text(): Promise<string> {
    this.merged.update(OWN_SOURCE, await this.registry.snapshot());
    return this.merged.text();
  }
}

function describeArbiter() {
  const startedAt = (Date.now() - process.uptime() * 1000) / 1000;
  return [
    gauge('bentots_arbiter_start_time_seconds', 'When the arbiter was started, in seconds since 1970', [
      { labels: {}, value: Math.round(startedAt) },
    ]),
    gauge('bentots_arbiter_resident_memory_bytes', 'Resident memory of the arbiter', [
      { labels: {}, value: process.memoryUsage.rss() },
    ]),
  ];
}

/** Label values are words that are easily typed in a query. */
function toLabel(reason: string): string {
  return reason.replaceAll(' ', '-');
}
