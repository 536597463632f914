import { ServeError } from '@bentots/errors';
import type { KillReason, RestartReason, SupervisorEvent, WorkerRef } from './events.js';
import type { WorkerMessage } from './ipc.js';
import type { JsonValue } from './plan.js';
import {
  type Launch,
  type ProcessExit,
  type ProcessListener,
  WorkerProcess,
} from './process/worker-process.js';
import { type Crash, decideRestart, type RestartPolicy } from './restart-policy.js';
import { SpareSeat } from './spare-seat.js';
import { StateBox, WORKER_MOVES, type WorkerState } from './states.js';

/**
 * A worker that ended cleanly on somebody else's signal is replaced only after this time: most likely the whole tree is
 * being stopped from outside, leaves first, and our own signal is on its way.
 */
export const HOLD_MS = 500;

/** What a slot needs from its watcher. */
export interface SlotHost {
  readonly policy: RestartPolicy;
  /** Whether a spare is kept beside the worker. */
  readonly hasSpares: boolean;
  launch(workerId: number, generation: number): Launch;
  emit(event: SupervisorEvent): void;
  onMessage(process: WorkerProcess, message: WorkerMessage): void;
  onReady(process: WorkerProcess): void;
  onGone(process: WorkerProcess): void;
  onCrashLoop(error: ServeError): void;
  /** Drains one process while the tree goes on; resolves when it is gone. */
  retire(process: WorkerProcess): Promise<void>;
}

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: ServeError) => void;
}

/** One worker number, and the processes that it has one after the other (two during a reload). */
export class Slot implements ProcessListener {
  readonly #states: StateBox<WorkerState>;
  #generation = 0;
  #current: WorkerProcess | undefined;
  /** The successor that a reload is starting. */
  #next: WorkerProcess | undefined;
  readonly #spare = new SpareSeat(() => this.#create(true));
  readonly #all = new Set<WorkerProcess>();
  #past: readonly Crash[] = [];
  #timer: NodeJS.Timeout | undefined;
  #isStopping = false;
  /** Whoever waits for the first start, or for the successor. */
  #waiting: Waiting | undefined;
  restarts = 0;
  /** How often it was started again, by reason. */
  readonly restartsBy = new Map<RestartReason, number>();
  lastExit: (ProcessExit & { readonly at: Date }) | undefined;

  constructor(
    readonly workerId: number,
    watcher: string,
    private readonly host: SlotHost,
  ) {
    this.#states = new StateBox<WorkerState>(`worker ${workerId} of '${watcher}'`, WORKER_MOVES, 'stopped');
  }

  get state(): WorkerState {
    return this.#states.state;
  }
  get current(): WorkerProcess | undefined {
    return this.#current;
  }
  get generation(): number {
    return this.#generation;
  }
  /** Every process that is not gone yet. */
  get processes(): readonly WorkerProcess[] {
    return [...this.#all];
  }

  /** Starts the first process. Rejects with its error if it ends before it is ready; it is not tried again. */
  start(): Promise<void> {
    this.#isStopping = false;
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#spawnCurrent();
    });
  }

  /** No process is started any more, and those that live are asked to drain. */
  beginStop(graceMs: number): void {
    this.#isStopping = true;
    clearTimeout(this.#timer);
    this.#spare.clear();
    for (const process of this.#all) process.drain(graceMs);
    if (this.#states.is('held', 'backing-off', 'crash-looping', 'failed')) this.#states.setState('stopped');
  }

  /** Kills what lives. */
  force(): void {
    this.#isStopping = true;
    clearTimeout(this.#timer);
    this.#spare.clear();
    for (const process of this.#all) process.kill('forced');
    if (this.#states.is('held', 'backing-off', 'crash-looping', 'failed')) this.#states.setState('stopped');
  }

  /**
   * Starts a successor, waits until it is ready, and only then drains the process it replaces. If the successor fails,
   * the old process stays and the successor's error is thrown.
   */
  async replace(): Promise<void> {
    if (this.#isStopping) return;
    const old = this.#current;
    if (old === undefined || !this.#states.is('ready')) {
      this.#retryNow();
      return;
    }
    const ready = new Promise<void>((resolve, reject) => (this.#waiting = { resolve, reject }));
    this.#next = this.#spawn();
    this.#emit(this.#next, { type: 'worker-restarting', reason: 'reload', delayMs: 0 });
    await ready;
    if (old.state === 'ready') await this.host.retire(old);
  }

  onMessage(process: WorkerProcess, message: WorkerMessage): void {
    if (message.supervisor === 'leaving' && process.state === 'ready') void this.host.retire(process);
    this.host.onMessage(process, message);
  }

  onReady(process: WorkerProcess, info: JsonValue): void {
    this.#emit(process, { type: 'worker-ready', tookMs: Math.round(process.startTookMs), info });
    if (process === this.#next) {
      this.#current = process;
      this.#next = undefined;
    } else {
      this.#states.setState('ready');
    }
    this.host.onReady(process);
    if (this.host.hasSpares) this.#spare.keep();
    this.#answer();
  }

  onDraining(process: WorkerProcess): void {
    this.#emit(process, { type: 'worker-draining' });
    if (process === this.#current) this.#states.setState('draining');
  }

  onKilled(process: WorkerProcess, reason: KillReason): void {
    this.#emit(process, { type: 'worker-killed', reason });
  }

  onExit(process: WorkerProcess, exit: ProcessExit): void {
    this.#all.delete(process);
    this.#spare.forget(process);
    if (!process.isSpare) this.lastExit = { ...exit, at: new Date() };
    this.#emit(process, {
      type: 'worker-exited',
      code: exit.code,
      signal: exit.signal,
      expected: exit.asked,
      reason: exit.reason,
      livedMs: Math.round(exit.livedMs),
      ...(exit.drainMs === undefined ? {} : { drainMs: Math.round(exit.drainMs) }),
      ...(exit.error === undefined ? {} : { error: exit.error.toJSON() }),
    });
    this.host.onGone(process);
    if (process === this.#next) this.#onSuccessorLost(exit);
    else if (process === this.#current) this.#onCurrentLost(process, exit);
  }

  #onSuccessorLost(exit: ProcessExit): void {
    this.#next = undefined;
    this.#answer(exit.error ?? stoppedError());
  }

  #onCurrentLost(process: WorkerProcess, exit: ProcessExit): void {
    this.#current = undefined;
    if (this.#isStopping) {
      this.#states.setState('stopped');
      this.#answer(stoppedError());
    } else if (this.#next !== undefined) {
      this.#promoteSuccessor(this.#next);
    } else if (this.#waiting !== undefined) {
      this.#states.setState('failed');
      this.#answer(exit.error ?? stoppedError());
    } else if (exit.left) {
      this.#states.setState('held');
      this.#restartAfter(process, HOLD_MS, 'left');
    } else {
      this.#onCrash(process, exit);
    }
  }

  /** The old process died during a reload: its successor is on its way already. */
  #promoteSuccessor(next: WorkerProcess): void {
    this.#states.setState('backing-off');
    this.#states.setState('starting');
    this.#current = next;
    this.#next = undefined;
  }

  #onCrash(process: WorkerProcess, exit: ProcessExit): void {
    const { policy } = this.host;
    const crash = { atMs: performance.now(), readyForMs: exit.readyForMs };
    const decision = decideRestart(policy, this.#past, crash, Math.random);
    this.#past = decision.past;
    if (!decision.isCrashLoop) {
      this.#states.setState('backing-off');
      this.#restartAfter(process, decision.delayMs, crashReason(exit));
      return;
    }
    this.#states.setState('crash-looping');
    const crashes = decision.past.length;
    this.#emit(process, { type: 'crash-loop', crashes, windowMs: policy.windowMs });
    if (policy.onCrashLoop === 'keep') this.#restartAfter(process, decision.delayMs, crashReason(exit));
    else this.host.onCrashLoop(crashLoopError(process, crashes, policy, exit));
  }

  #restartAfter(old: WorkerProcess, delayMs: number, reason: RestartReason): void {
    this.#emit(old, { type: 'worker-restarting', reason, delayMs });
    this.restarts += 1;
    if (delayMs === 0) this.#spawnCurrent();
    else this.#timer = setTimeout(() => this.#spawnCurrent(), delayMs);
  }

  #retryNow(): void {
    if (!this.#states.is('held', 'backing-off', 'crash-looping')) return;
    clearTimeout(this.#timer);
    this.#past = [];
    this.#spawnCurrent();
  }

  #spawnCurrent(): void {
    this.#states.setState('starting');
    this.#current = this.#spawn();
  }

  #spawn(): WorkerProcess {
    const spare = this.#spare.take((generation) => this.host.launch(this.workerId, generation));
    const process = spare ?? this.#create(false);
    this.#emit(process, { type: 'worker-started' });
    return process;
  }

  #create(isSpare: boolean): WorkerProcess {
    this.#generation += 1;
    const process = new WorkerProcess(this.host.launch(this.workerId, this.#generation), this, isSpare);
    this.#all.add(process);
    return process;
  }

  #answer(error?: ServeError): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (error === undefined) waiting?.resolve();
    else waiting?.reject(error);
  }

  #emit(process: WorkerProcess, event: OwnEvent): void {
    if (process.isSpare) return;
    const { watcher, workerId, generation, pid } = process;
    if (event.type === 'worker-restarting') {
      this.restartsBy.set(event.reason, (this.restartsBy.get(event.reason) ?? 0) + 1);
    }
    this.host.emit({ ...event, watcher, workerId, generation, pid });
  }
}

type WithoutRef<E> = E extends WorkerRef ? Omit<E, keyof WorkerRef> : never;
type OwnEvent = WithoutRef<SupervisorEvent>;

function crashReason(exit: ProcessExit): RestartReason {
  return exit.reason === 'heartbeat stopped' ? 'heartbeat' : 'crashed';
}

function stoppedError(): ServeError {
  return new ServeError('cancelled', 'the server was stopped before it was ready');
}

function crashLoopError(
  process: WorkerProcess,
  crashes: number,
  policy: RestartPolicy,
  exit: ProcessExit,
): ServeError {
  const seconds = Math.round(policy.windowMs / 1000);
  const last = exit.error === undefined ? '' : `; the last time: ${exit.error.message}`;
  return new ServeError('crash_loop', `${process.name} crashed ${crashes} times within ${seconds} s${last}`, {
    details: { watcher: process.watcher, worker: process.workerId, crashes },
  });
}
