import type { ServeError, ServeErrorJson } from '@bentots/errors';
import type { Beat } from './ipc.js';
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
  readonly readyForMs: number;
  /** Connections that the arbiter handed to it and that are open; always 0 for shared sockets. */
  readonly connections: number;
  readonly beat: Beat | undefined;
  readonly lastError: ServeErrorJson | undefined;
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
  const { name, numProcesses } = watcher.config;
  return { name, state: watcher.state, numProcesses, workers: watcher.slots.map(describeSlot) };
}

function describeSlot(slot: Slot): WorkerStatus {
  const { current } = slot;
  const beat = current?.beat;
  return {
    workerId: slot.workerId,
    state: slot.state,
    generation: slot.generation,
    pid: current?.pid,
    restarts: slot.restarts,
    readyForMs: Math.round(current?.readyForMs ?? 0),
    connections: current?.connections ?? 0,
    beat: beat && { lagMs: beat.lagMs, utilization: beat.utilization, rssBytes: beat.rssBytes },
    lastError: slot.lastExit?.error?.toJSON(),
  };
}
