import { ServeError } from '@bentots/errors';
import type { KillReason, RestartReason, SupervisorEvent, WorkerRef } from './events.js';
import type { WorkerMessage } from './ipc.js';
import type { JsonValue, WatcherConfig } from './plan.js';
import type { ProcessExit, ProcessListener, WorkerProcess } from './process/worker-process.js';
import { type Crash, decideRestart, type RestartPolicy } from './restart-policy.js';
import type { SlotHost, SlotProcess } from './slot-host.js';
import { type Spare, SpareSeat } from './spare-seat.js';
import { StateBox, WORKER_MOVES, type WorkerState } from './states.js';

/**
 * A worker that ended cleanly on somebody else's signal is replaced only after this time: most likely the whole tree is
 * being stopped from outside, leaves first, and our own signal is on its way.
 */
export const HOLD_MS = 500;

/** The process that a command waits for, and what becomes of the slot's configuration when it is ready. */
interface Awaited<P> {
  readonly process: P;
  readonly config: WatcherConfig;
  readonly resolve: () => void;
  readonly reject: (error: ServeError) => void;
}

/**
 * One worker number, and the processes that it has one after the other (two while one replaces the other). Its commands
 * (`start`, `replace`, `restart`, `end`) are given one at a time: the watcher queues them.
 */
export class Slot<P extends SlotProcess = WorkerProcess> implements ProcessListener<P> {
  readonly #states: StateBox<WorkerState>;
  /** What the next process is started with: that of the last one that a command brought to ready. */
  #config: WatcherConfig;
  #generation = 0;
  #current: P | undefined;
  /** The successor that is being started. */
  #next: P | undefined;
  readonly #spare = new SpareSeat<P>(() => this.#create(this.#config, true));
  readonly #all = new Set<P>();
  #past: readonly Crash[] = [];
  #timer: NodeJS.Timeout | undefined;
  #wasEverReady = false;
  #isStopping = false;
  /** The end of the current process is the first half of a restart. */
  #isRestarting = false;
  #awaited: Awaited<P> | undefined;
  restarts = 0;
  /** How often it was started again, by reason. */
  readonly restartsBy = new Map<RestartReason, number>();
  lastExit: (ProcessExit & { readonly at: Date }) | undefined;

  constructor(
    readonly workerId: number,
    config: WatcherConfig,
    private readonly host: SlotHost<P>,
  ) {
    this.#config = config;
    this.#states = new StateBox<WorkerState>(
      `worker ${workerId} of '${config.name}'`,
      WORKER_MOVES,
      'stopped',
    );
  }

  get state(): WorkerState {
    return this.#states.state;
  }
  get current(): P | undefined {
    return this.#current;
  }
  get generation(): number {
    return this.#generation;
  }
  /** Processes that wait to be the next ones. */
  get spares(): readonly Spare<P>[] {
    return this.#spare.spares;
  }
  /** Every process that is not gone yet. */
  get processes(): readonly P[] {
    return [...this.#all];
  }

  /** Starts the first process. Rejects with its error if it ends before it is ready; it is not tried again. */
  async start(): Promise<void> {
    this.#throwIfStopping();
    await this.#startCurrent(this.#config);
  }

  /**
   * Starts a successor, waits until it is ready, and only then drains the process it replaces, if there is one. If the
   * successor fails, the old process stays, later ones are started as before, and the successor's error is thrown.
   */
  async replace(reason: RestartReason, config: WatcherConfig = this.#config): Promise<void> {
    this.#throwIfStopping();
    const old = this.#current;
    if (old === undefined) {
      // It is waiting for its next try, or is held back: that time is over.
      this.#past = [];
      await this.#startCurrent(config);
      return;
    }
    this.#next = this.#spawn(config);
    this.#emit(this.#next, { type: 'worker-restarting', reason, delayMs: 0 });
    await this.#untilReady(this.#next, config);
    if (reason !== 'reload') this.restarts += 1;
    if (old.state !== 'exited') await this.host.retire(old);
  }

  /** Drains the process, and starts the next one when it is gone. Rejects if that does not get ready; it is tried again. */
  async restart(): Promise<void> {
    this.#throwIfStopping();
    const old = this.#current;
    if (old !== undefined) {
      this.#emit(old, { type: 'worker-restarting', reason: 'restart', delayMs: 0 });
      this.#isRestarting = true;
      await this.host.retire(old);
      this.#isRestarting = false;
      this.#throwIfStopping();
      this.restarts += 1;
    }
    this.#past = [];
    await this.#startCurrent(this.#config);
  }

  /** Drains whatever lives and starts nothing any more, while the tree goes on. */
  async end(): Promise<void> {
    this.#beginEnd();
    await Promise.all([...this.#all].map((process) => this.host.retire(process)));
  }

  /** No process is started any more, and those that live are asked to drain. */
  beginStop(graceMs: number, hurry: boolean): void {
    this.#beginEnd();
    for (const process of this.#all) process.drain(graceMs, hurry);
  }

  /** Kills what lives. */
  force(): void {
    this.#beginEnd();
    for (const process of this.#all) process.kill('forced');
  }

  onMessage(process: P, message: WorkerMessage): void {
    if (message.supervisor === 'warm') this.#spare.onWarm(process);
    if (message.supervisor === 'leaving' && process.state === 'ready') void this.host.retire(process);
    this.host.onMessage(process, message);
  }

  onReady(process: P, info: JsonValue): void {
    this.#emit(process, { type: 'worker-ready', tookMs: Math.round(process.startTookMs), info });
    if (process === this.#next) {
      this.#current = process;
      this.#next = undefined;
    }
    if (!this.#states.is('ready')) this.#states.setState('ready');
    this.#wasEverReady = true;
    if (process === this.#awaited?.process) this.#config = this.#awaited.config;
    this.host.onReady(process);
    if (this.#config.spare) this.#spare.keep();
    this.#answer(process);
  }

  onDraining(process: P): void {
    this.#emit(process, { type: 'worker-draining' });
    if (process === this.#current) this.#states.setState('draining');
  }

  onKilled(process: P, reason: KillReason): void {
    this.#emit(process, { type: 'worker-killed', reason });
  }

  onExit(process: P, exit: ProcessExit): void {
    this.#all.delete(process);
    this.#spare.forget(process);
    // Who ends because somebody else said so has no failure to tell.
    const error = exit.left ? undefined : exit.error;
    if (!process.isSpare) this.lastExit = { ...exit, error, at: new Date() };
    this.#emit(process, {
      type: 'worker-exited',
      code: exit.code,
      signal: exit.signal,
      expected: exit.asked,
      reason: exit.reason,
      livedMs: Math.round(exit.livedMs),
      ...(exit.drainMs === undefined ? {} : { drainMs: Math.round(exit.drainMs) }),
      ...(error === undefined ? {} : { error: error.toJSON() }),
    });
    this.host.onGone(process);
    if (process === this.#next) this.#onSuccessorLost();
    else if (process === this.#current) this.#onCurrentLost(process, exit);
    this.#answer(process, exit.error ?? stoppedError());
  }

  #onSuccessorLost(): void {
    this.#next = undefined;
    // It may have been the spare; whoever tries again wants one too.
    if (this.#config.spare && !this.#isStopping) this.#spare.keep();
  }

  #onCurrentLost(process: P, exit: ProcessExit): void {
    this.#current = undefined;
    if (this.#isStopping || this.#isRestarting) {
      this.#states.setState('stopped');
    } else if (this.#next !== undefined) {
      this.#promote(this.#next);
    } else if (!this.#wasEverReady) {
      this.#states.setState('failed');
    } else if (exit.left) {
      this.#states.setState('held');
      this.#restartAfter(process, HOLD_MS, 'left');
    } else {
      this.#onCrash(process, exit);
    }
  }

  /** The old process died while its successor is on its way already. */
  #promote(next: P): void {
    this.#states.setState('backing-off');
    this.#states.setState('starting');
    this.#current = next;
    this.#next = undefined;
  }

  #onCrash(process: P, exit: ProcessExit): void {
    const policy = this.#config.restart;
    const crash = { atMs: performance.now(), readyForMs: exit.readyForMs };
    const decision = decideRestart(policy, this.#past, crash, Math.random);
    const reason = exit.reason === 'heartbeat stopped' ? 'heartbeat' : 'crashed';
    this.#past = decision.past;
    if (!decision.isCrashLoop) {
      this.#states.setState('backing-off');
      this.#restartAfter(process, decision.delayMs, reason);
      return;
    }
    this.#states.setState('crash-looping');
    const crashes = decision.past.length;
    this.#emit(process, { type: 'crash-loop', crashes, windowMs: policy.windowMs });
    if (policy.onCrashLoop === 'keep') this.#restartAfter(process, decision.delayMs, reason);
    else this.host.onCrashLoop(crashLoopError(process, crashes, policy, exit));
  }

  #restartAfter(old: P, delayMs: number, reason: RestartReason): void {
    this.#emit(old, { type: 'worker-restarting', reason, delayMs });
    this.restarts += 1;
    if (delayMs === 0) this.#spawnCurrent(this.#config);
    else this.#timer = setTimeout(() => this.#spawnCurrent(this.#config), delayMs);
  }

  /** Starts a process where there is none; rejects if it ends before it is ready. */
  #startCurrent(config: WatcherConfig): Promise<void> {
    clearTimeout(this.#timer);
    return this.#untilReady(this.#spawnCurrent(config), config);
  }

  #spawnCurrent(config: WatcherConfig): P {
    this.#states.setState('starting');
    return (this.#current = this.#spawn(config));
  }

  #spawn(config: WatcherConfig): P {
    const { workerId } = this;
    const spare = this.#spare.take((one) =>
      this.host.employ(one, { workerId, generation: one.generation, config, isSpare: false }),
    );
    const process = spare ?? this.#create(config, false);
    this.#emit(process, { type: 'worker-started' });
    return process;
  }

  #create(config: WatcherConfig, isSpare: boolean): P {
    this.#generation += 1;
    const seat = { workerId: this.workerId, generation: this.#generation, config, isSpare };
    const process = this.host.spawn(seat, this);
    this.#all.add(process);
    return process;
  }

  #untilReady(process: P, config: WatcherConfig): Promise<void> {
    return new Promise((resolve, reject) => (this.#awaited = { process, config, resolve, reject }));
  }

  /** Ends the waiting for a process: it is ready, or it will never be. */
  #answer(process: P, error?: ServeError): void {
    const awaited = this.#awaited;
    if (awaited?.process !== process) return;
    this.#awaited = undefined;
    if (error === undefined) awaited.resolve();
    else awaited.reject(error);
  }

  #beginEnd(): void {
    this.#isStopping = true;
    clearTimeout(this.#timer);
    this.#spare.clear();
    if (this.#states.is('held', 'backing-off', 'crash-looping', 'failed')) this.#states.setState('stopped');
  }

  #throwIfStopping(): void {
    if (this.#isStopping) throw stoppedError();
  }

  #emit(process: P, event: OwnEvent): void {
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

function stoppedError(): ServeError {
  return new ServeError('cancelled', 'the server was stopped before it was ready');
}

function crashLoopError(
  process: SlotProcess,
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
