import type { ServeError, ServeErrorJson } from '@bentots/errors';
import type { ExitReason, RestartReason } from './events.js';
import type { Beat } from './ipc.js';
import type { WorkerProcess } from './process/worker-process.js';
import type { Slot } from './slot.js';
import type { BoundSocket } from './socket/bound-socket.js';
import type { TreeState, WatcherState, WorkerState } from './states.js';
import type { Watcher } from './watcher.js';

/** A worker as one sees it from outside. */
export interface WorkerStatus {
  readonly workerId: number;
  readonly state: WorkerState;
  readonly generation: number;
  readonly pid: number | undefined;
  /** How often it was started again, for whatever reason but a reload. */
  readonly restarts: number;
  /** The same by reason, reloads included; reasons that never occurred are left out. */
  readonly restartsByReason: Readonly<Partial<Record<RestartReason, number>>>;
  /** When the process was spawned, as ISO 8601; undefined when there is none, as what follows. */
  readonly startedAt: string | undefined;
  readonly uptimeMs: number | undefined;
  readonly readyForMs: number;
  /** Share of one core since the last beat; undefined before the first beat, as what follows. */
  readonly cpu: number | undefined;
  readonly rssBytes: number | undefined;
  /** How long something waited for the event loop: the worst of the last beat, or how overdue the next one is. */
  readonly lagMs: number | undefined;
  /** Share of time that the event loop was busy. */
  readonly utilization: number | undefined;
  /** How late the heartbeat is: the last one when it came, or the next one when it does not come. */
  readonly heartbeatLagMs: number | undefined;
  /** Open connections of its sockets: those it was handed, and those it had accepted by itself at its last beat. */
  readonly connections: number;
  readonly beat: Beat | undefined;
  /** Processes that wait to be its next ones. */
  readonly spares: readonly SpareStatus[];
  /** How its last process ended. */
  readonly lastExit: LastExit | undefined;
  readonly lastError: ServeErrorJson | undefined;
}

/** A process that waits to be the next one of its worker. */
export interface SpareStatus {
  readonly pid: number | undefined;
  /** Whether it has loaded what it can. */
  readonly isWarm: boolean;
}

/** How a process ended. */
export interface LastExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly reason: ExitReason;
  readonly livedMs: number;
  /** ISO 8601. */
  readonly at: string;
}

/** A watcher as one sees it from outside. */
export interface WatcherStatus {
  readonly name: string;
  readonly state: WatcherState;
  readonly numProcesses: number;
  readonly workers: readonly WorkerStatus[];
}

/** A tree as one sees it from outside; JSON. */
export interface TreeStatus {
  readonly name: string;
  readonly state: TreeState;
  readonly pid: number;
  readonly sockets: readonly BoundSocket[];
  readonly watchers: readonly WatcherStatus[];
}

/** Why and how a tree ended. */
export interface StopReport {
  /** What the command should exit with: the table of `@bentots/errors`, 0 when asked, 130 when forced. */
  readonly exitCode: number;
  readonly reason: 'asked' | 'forced' | 'failed' | 'crash-loop';
  readonly error?: ServeError;
}

/** Describes a watcher and its workers. */
export function describeWatcher(watcher: Watcher): WatcherStatus {
  const { name, numProcesses, state } = watcher;
  return { name, state, numProcesses, workers: watcher.slots.map(describeSlot) };
}

function describeSlot(slot: Slot): WorkerStatus {
  const { current, lastExit } = slot;
  return {
    workerId: slot.workerId,
    state: slot.state,
    generation: slot.generation,
    pid: current?.pid,
    restarts: slot.restarts,
    restartsByReason: Object.fromEntries(slot.restartsBy),
    startedAt: current?.startedAt.toISOString(),
    uptimeMs: current && Math.round(current.uptimeMs),
    readyForMs: Math.round(current?.readyForMs ?? 0),
    ...describeBeat(current),
    connections: (current?.connections ?? 0) + (current?.beat?.connections ?? 0),
    spares: slot.spares.map(({ process, isWarm }) => ({ pid: process.pid, isWarm })),
    lastExit: lastExit && {
      code: lastExit.code,
      signal: lastExit.signal,
      reason: lastExit.reason,
      livedMs: Math.round(lastExit.livedMs),
      at: lastExit.at.toISOString(),
    },
    lastError: lastExit?.error?.toJSON(),
  };
}

type BeatStatus = Pick<
  WorkerStatus,
  'beat' | 'cpu' | 'rssBytes' | 'lagMs' | 'utilization' | 'heartbeatLagMs'
>;

function describeBeat(process: WorkerProcess | undefined): BeatStatus {
  const beat = process?.beat;
  const overdueMs = process?.heartbeatOverdueMs ?? 0;
  return {
    beat: beat && pickBeat(beat),
    cpu: beat?.cpu,
    rssBytes: beat?.rssBytes,
    lagMs: beat && Math.max(beat.lagMs, overdueMs),
    utilization: beat?.utilization,
    heartbeatLagMs: beat && Math.max(beat.lateMs, overdueMs),
  };
}

/** A message holds more than the beat, and status is sent to operators. */
function pickBeat({
  lateMs,
  lagMs,
  lagP50Ms,
  utilization,
  cpu,
  rssBytes,
  heapBytes,
  connections,
  queueDelayMs,
  queueDelaysMs,
}: Beat): Beat {
  return {
    ...{ lateMs, lagMs, lagP50Ms, utilization, cpu, rssBytes, heapBytes, connections },
    ...(queueDelayMs === undefined ? {} : { queueDelayMs }),
    ...(queueDelaysMs === undefined ? {} : { queueDelaysMs }),
  };
}
