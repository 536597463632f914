import type { TreeStatus, WatcherStatus, WorkerState, WorkerStatus } from '@bentots/supervisor';
import type { MetricFacts, MetricSample } from '@bentots/telemetry';

/** Every state, so that one that no worker is in shows 0. */
const STATES = Object.keys({
  stopped: true,
  starting: true,
  ready: true,
  draining: true,
  held: true,
  'backing-off': true,
  'crash-looping': true,
  failed: true,
} satisfies Record<WorkerState, true>);

type ByWorker = readonly [name: string, help: string, valueOf: (worker: WorkerStatus) => number | undefined];

/** One sample for each worker; those for which a value is not known have none. */
const BY_WORKER: readonly ByWorker[] = [
  [
    'bentots_worker_up',
    'Whether the worker is ready to serve: 1, else 0',
    ({ state }) => Number(state === 'ready'),
  ],
  [
    'bentots_worker_start_time_seconds',
    'When the process of the worker was started, in seconds since 1970',
    ({ startedAt }) => (startedAt === undefined ? undefined : Date.parse(startedAt) / 1000),
  ],
  [
    'bentots_worker_cpu_usage_ratio',
    'Share of one core that the process used in the last second; over 1 with several threads',
    ({ cpu }) => cpu,
  ],
  ['bentots_worker_resident_memory_bytes', 'Resident memory of the process', ({ rssBytes }) => rssBytes],
  ['bentots_worker_heap_used_bytes', 'Memory of the JavaScript objects', ({ beat }) => beat?.heapBytes],
  [
    'bentots_worker_event_loop_utilization_ratio',
    'Share of the last second in which the event loop was busy',
    ({ utilization }) => utilization,
  ],
  [
    'bentots_worker_event_loop_lag_seconds',
    'Longest wait for the event loop in the last second, or since the last heartbeat when none comes',
    ({ lagMs }) => inSeconds(lagMs),
  ],
  [
    'bentots_worker_heartbeat_lag_seconds',
    'How late the last heartbeat of the worker was, or how overdue the next one is',
    ({ heartbeatLagMs }) => inSeconds(heartbeatLagMs),
  ],
  [
    'bentots_worker_connections',
    'Open connections that the arbiter handed to the worker; 0 for sockets that workers share',
    ({ connections }) => connections,
  ],
];

/**
 * How a tree is doing at this moment. Made of its status and of nothing else, so that no gauge can outlive what it tells
 * of. Pure.
 */
export function describeTree({ watchers }: TreeStatus): readonly MetricFacts[] {
  return [
    gauge(
      'bentots_workers',
      'Workers that the watcher is to keep',
      watchers.map(({ name, numProcesses }) => ({ labels: { watcher: name }, value: numProcesses })),
    ),
    gauge(
      'bentots_worker_spares',
      'Processes that wait to be the next ones of the workers',
      watchers.map(({ name, workers }) => ({
        labels: { watcher: name },
        value: workers.reduce((sum, { spares }) => sum + spares.length, 0),
      })),
    ),
    gauge('bentots_worker_state', 'Workers of the watcher in each state', watchers.flatMap(countStates)),
    ...BY_WORKER.map(([name, help, valueOf]) =>
      gauge(
        name,
        help,
        watchers.flatMap((watcher) => measureWorkers(watcher, valueOf)),
      ),
    ),
  ];
}

function countStates({ name, workers }: WatcherStatus): readonly MetricSample[] {
  return STATES.map((state) => ({
    labels: { watcher: name, state },
    value: workers.filter((worker) => worker.state === state).length,
  }));
}

function measureWorkers(watcher: WatcherStatus, valueOf: ByWorker[2]): readonly MetricSample[] {
  return watcher.workers.flatMap((worker) => {
    const value = valueOf(worker);
    return value === undefined ? [] : [{ labels: { watcher: watcher.name, worker: worker.workerId }, value }];
  });
}

/** A metric that the arbiter alone knows. */
export function gauge(name: string, help: string, values: readonly MetricSample[]): MetricFacts {
  return { name, help, type: 'gauge', aggregator: 'sum', values };
}

function inSeconds(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : milliseconds / 1000;
}
