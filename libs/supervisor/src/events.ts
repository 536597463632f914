import type { ServeErrorJson } from '@bentots/errors';
import type { BoundSocket } from './socket/bound-socket.js';
import type { JsonValue } from './plan.js';
import type { TreeState } from './states.js';

/** Which process an event is about. */
export interface WorkerRef {
  readonly watcher: string;
  /** 1 to N, kept over restarts. */
  readonly workerId: number;
  /** Counts the processes that this worker number has had, from 1. */
  readonly generation: number;
  readonly pid: number | undefined;
}

const KILL_REASONS = ['grace time is over', 'not ready in time', 'heartbeat stopped', 'forced'] as const;

/** Why a process group was killed. */
export type KillReason = (typeof KILL_REASONS)[number];

/** Every {@link ExitReason}. */
export const EXIT_REASONS = ['asked', 'left', 'ended', 'crashed', 'not started', ...KILL_REASONS] as const;

/**
 * Why a process ended: it was `asked` to, it `left` on a signal that the arbiter did not send, it `ended` by itself with
 * code 0, it `crashed`, it never ran, or it was killed.
 */
export type ExitReason = (typeof EXIT_REASONS)[number];

/** Every {@link RestartReason}. */
export const RESTART_REASONS = [
  'crashed',
  'heartbeat',
  'left',
  'reload',
  'restart',
  'max-requests',
  'max-age',
  'memory',
] as const;

/** Why a worker is started again. */
export type RestartReason = (typeof RESTART_REASONS)[number];

/** Everything that happens in a tree, in order; made to be logged as it is. */
export type SupervisorEvent =
  | { readonly type: 'tree'; readonly state: TreeState; readonly reason?: string }
  | { readonly type: 'socket-bound'; readonly socket: BoundSocket }
  | ({ readonly type: 'worker-started' } & WorkerRef)
  | ({ readonly type: 'worker-ready'; readonly tookMs: number; readonly info: JsonValue } & WorkerRef)
  | ({ readonly type: 'worker-draining' } & WorkerRef)
  | ({ readonly type: 'worker-killed'; readonly reason: KillReason } & WorkerRef)
  | ({
      readonly type: 'worker-exited';
      readonly code: number | null;
      readonly signal: NodeJS.Signals | null;
      /** Whether the arbiter had asked for it. */
      readonly expected: boolean;
      readonly reason: ExitReason;
      readonly livedMs: number;
      /** Time from the request to stop; absent if there was none. */
      readonly drainMs?: number;
      readonly error?: ServeErrorJson;
    } & WorkerRef)
  | ({
      readonly type: 'worker-restarting';
      readonly reason: RestartReason;
      readonly delayMs: number;
    } & WorkerRef)
  | ({ readonly type: 'crash-loop'; readonly crashes: number; readonly windowMs: number } & WorkerRef)
  | {
      readonly type: 'num-processes';
      readonly watcher: string;
      readonly numProcesses: number;
      readonly previous: number;
    }
  | {
      readonly type: 'signal';
      readonly signal: NodeJS.Signals;
      readonly effect: 'stop' | 'force' | 'reload' | 'grow' | 'shrink';
    }
  /** Somebody asked for a change by the control socket. */
  | {
      readonly type: 'control';
      readonly command: string;
      readonly fields: Readonly<Record<string, unknown>>;
    }
  | { readonly type: 'warning'; readonly message: string };
