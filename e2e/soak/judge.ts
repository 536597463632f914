import type { Mishap } from '@bentots/load';

/** A time in which some requests may fail. */
export interface Excuse {
  /** `death`: of one worker. `down`: nobody listens, an arbiter was killed. `runner down`: nobody computes. */
  readonly kind: 'death' | 'down' | 'runner down';
  /** Whose clients it excuses. */
  readonly trees: readonly string[];
  /** By `performance.now()`; one that is not over yet has no end. */
  readonly fromMs: number;
  untilMs: number;
}

/**
 * What passes between a kill and the client's knowledge of it, on a busy machine: a request that is sent before the reset
 * is read was lost by the kill, though it began later.
 */
const NEWS_MS = 500;
/** A gRPC channel that was refused waits before it tries again. */
const BACK_OFF_MS = 2500;

/**
 * Whether a request that was not answered rightly is excused. A wrong answer never is, nor one that does not come; a lost
 * one was in flight when a process of its tree was killed; a refused one came while the tree was down; an unavailable
 * one while its runner was. The name of a load begins with that of its tree.
 */
export function isExcused(
  { load, outcome, sentAtMs, endedAtMs }: Mishap,
  excuses: readonly Excuse[],
): boolean {
  const overlaps = ({ fromMs, untilMs }: Excuse, marginMs: number): boolean =>
    sentAtMs <= untilMs + marginMs && endedAtMs >= fromMs;
  const ours = excuses.filter(({ trees }) => trees.some((tree) => load.startsWith(`${tree}: `)));
  return ours.some((excuse) => {
    switch (outcome) {
      case 'lost':
        return excuse.kind !== 'runner down' && overlaps(excuse, NEWS_MS);
      case 'refused':
        return excuse.kind === 'down' && overlaps(excuse, BACK_OFF_MS);
      case 'unavailable':
        return excuse.kind !== 'death' && overlaps(excuse, BACK_OFF_MS);
      default:
        return false;
    }
  });
}

/** What a process needed, in MiB, at equal times. */
export interface Memory {
  /** `http: arbiter`, `serve: runner:matmul 1`. */
  readonly name: string;
  readonly pid: number;
  readonly mib: readonly number[];
}

/** The first samples tell only how a process starts: modules, a model, code that is compiled. */
const START_SAMPLES = 20;
/** Fewer samples than this tell nothing. */
const LEAST_SAMPLES = 30;
/** What a heap may take before it is worth its while to clean up. */
const EASE_MIB = 32;

/** Middle of the first and of the last third, and whether the difference is more than noise and the heap's own ease. */
export function judgeMemory({ mib }: Memory): { first: number; last: number; isFlat: boolean } | undefined {
  const settled = mib.slice(START_SAMPLES);
  if (settled.length < LEAST_SAMPLES) return undefined;
  const third = Math.floor(settled.length / 3);
  const [first, last] = [median(settled.slice(0, third)), median(settled.slice(-third))];
  return { first, last, isFlat: last <= 1.25 * first + EASE_MIB };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** What a gauge may be once nobody asks any more; `should` are the workers that its watcher is to have. */
type Rest = (value: number, labels: string, should: number) => boolean;

const isNothing: Rest = (value) => value === 0;
const isSomething: Rest = (value) => value > 0;
const isNotNegative: Rest = (value) => value >= 0;

/**
 * Every gauge that servers have, and what it is at rest: a gauge that is not here is a fault, so that none is forgotten.
 * Edges keep the connections to their runners, and whoever asks for the metrics has one.
 */
const AT_REST: Readonly<Record<string, Rest>> = {
  // The request for the metrics is itself in progress.
  bentoml_api_server_request_in_progress: (value, labels) =>
    value === 0 || labels.includes('endpoint="/metrics"'),
  bentoml_runner_request_in_progress: (value, labels) =>
    value === 0 || labels.includes('endpoint="/metrics"'),
  bentots_runner_queue_rows: isNothing,
  bentots_runner_queue_bytes: isNothing,
  bentots_runner_cost_fixed_seconds: isNotNegative,
  bentots_runner_cost_per_row_seconds: isNotNegative,
  bentots_workers: (value, _, should) => value === should,
  bentots_worker_up: (value) => value === 1,
  bentots_worker_state: (value, labels, should) => value === (labels.includes('state="ready"') ? should : 0),
  bentots_worker_spares: isNothing,
  bentots_worker_start_time_seconds: isSomething,
  bentots_worker_cpu_usage_ratio: (value) => value < 1,
  bentots_worker_resident_memory_bytes: isSomething,
  bentots_worker_heap_used_bytes: isSomething,
  bentots_worker_event_loop_utilization_ratio: (value) => value < 0.5,
  bentots_worker_event_loop_lag_seconds: (value) => value < 1,
  bentots_worker_heartbeat_lag_seconds: (value) => value < 1,
  bentots_worker_connections: (value) => value <= 16,
  bentots_arbiter_start_time_seconds: isSomething,
  bentots_arbiter_resident_memory_bytes: isSomething,
};

/**
 * Lines of `/metrics` whose gauge is not at rest though nobody asks any more, gauges that nobody knows, and workers that
 * no gauge tells of. `watchers` are those of the tree with their numbers of workers.
 */
export function findStuckGauges(metrics: string, watchers: Readonly<Record<string, number>>): string[] {
  const gauges = new Set([...metrics.matchAll(/^# TYPE (\w+) gauge$/gm)].map(([, name = '']) => name));
  const unknown = [...gauges].filter((name) => AT_REST[name] === undefined);
  const restless = metrics.split('\n').filter((line) => {
    const [, name = '', labels = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    const watcher = /watcher="([^"]*)"/.exec(labels)?.[1] ?? '';
    return gauges.has(name) && AT_REST[name]?.(Number(value), labels, watchers[watcher] ?? 0) === false;
  });
  const missing = Object.entries(watchers).flatMap(([watcher, count]) => {
    const up = metrics
      .split('\n')
      .filter((line) => line.startsWith(`bentots_worker_up{watcher="${watcher}"`));
    return up.length === count ? [] : [`${up.length} workers of ${watcher} are told of, not ${count}`];
  });
  return [
    ...unknown.map((name) => `${name} is a gauge that the soak does not know`),
    ...restless,
    ...missing,
  ];
}

/** Processes whose arbiter, which was not killed, did not tell both their start and, once, their end. */
export function findUnaccounted(output: string): string[] {
  const counts = new Map<string, { starts: number; ends: number }>();
  for (const [, what, pid = ''] of output.matchAll(/event=worker-(started|exited) .*?pid=(\d+)/g)) {
    const count = counts.get(pid) ?? { starts: 0, ends: 0 };
    counts.set(pid, count);
    if (what === 'started') count.starts += 1;
    else count.ends += 1;
  }
  return [...counts]
    .filter(([, { starts, ends }]) => starts !== 1 || ends !== 1)
    .map(([pid, { starts, ends }]) => `process ${pid} was started ${starts} and ended ${ends} times`);
}
