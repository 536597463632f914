import type { ServeError } from '@bentots/errors';
import type { KillReason, SupervisorEvent, WorkerRef } from './events.js';
import type { WorkerMessage } from './ipc.js';
import type { WatcherConfig } from './plan.js';
import type { ProcessListener, WorkerProcess } from './process/worker-process.js';
import type { ProcessState } from './states.js';

/** What a slot knows of a process; tests bring their own. */
export interface SlotProcess extends WorkerRef {
  readonly state: ProcessState;
  readonly name: string;
  readonly startTookMs: number;
  /** Whether it waits to be told who it is. */
  readonly isSpare: boolean;
  drain(graceMs: number, hurry?: boolean): void;
  kill(reason: KillReason): void;
}

/** What a process is started for. */
export interface Seat {
  readonly workerId: number;
  readonly generation: number;
  readonly config: WatcherConfig;
  readonly isSpare: boolean;
}

/** What a slot needs from its watcher. */
export interface SlotHost<P = WorkerProcess> {
  /** Starts a process; a spare waits until it is employed. */
  spawn(seat: Seat, listener: ProcessListener<P>): P;
  /** Makes a spare the worker of its seat. False if it was spawned for something else, or is on its way out. */
  employ(spare: P, seat: Seat): boolean;
  emit(event: SupervisorEvent): void;
  onMessage(process: P, message: WorkerMessage): void;
  onReady(process: P): void;
  onGone(process: P): void;
  onCrashLoop(error: ServeError): void;
  /** Drains one process while the tree goes on; resolves when it is gone. */
  retire(process: P): Promise<void>;
}
