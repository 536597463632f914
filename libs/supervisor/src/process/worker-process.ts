import type { ChildProcess, SendHandle } from 'node:child_process';
import { ServeError } from '@bentots/errors';
import type { ExitReason, KillReason } from '../events.js';
import { type ArbiterMessage, type Beat, isWorkerMessage, type WorkerMessage } from '../ipc.js';
import type { JsonValue } from '../plan.js';
import type { RecycleLimits } from '../recycle.js';
import type { RawHandle } from '../socket/raw-handle.js';
import { PROCESS_MOVES, type ProcessState, StateBox } from '../states.js';
import { awaitLastWords } from './last-words.js';
import { killGroup } from './kill-group.js';
import { isSpawnedAlike, type Launch } from './launch.js';
import { drainOutput } from './output-sinks.js';
import { spawnCommand } from './spawn-command.js';
import { spawnNode } from './spawn-node.js';
import { trySpawn } from './try-spawn.js';

/** How a process ended. */
export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly reason: ExitReason;
  readonly livedMs: number;
  /** Time from the request to stop; undefined if there was none. */
  readonly drainMs: number | undefined;
  /** How long it had been ready; 0 if it never was. */
  readonly readyForMs: number;
  /** Whether the arbiter had asked for it. */
  readonly asked: boolean;
  /** Whether it ended cleanly on a signal that the arbiter did not send. */
  readonly left: boolean;
  /** What the worker said, or what we know, about a failure. */
  readonly error: ServeError | undefined;
}

/** Who wants to know what a process says and does. */
export interface ProcessListener<P = WorkerProcess> {
  onMessage(process: P, message: WorkerMessage): void;
  onReady(process: P, info: JsonValue): void;
  onDraining(process: P): void;
  onKilled(process: P, reason: KillReason): void;
  /** The last thing that is said about a process; all its messages came before. */
  onExit(process: P, exit: ProcessExit): void;
}

/** A worker that is not ready has nothing to finish; it may be deep in the loading of a model. */
const UNREADY_GRACE_MS = 2000;

const STOP_SIGNALS: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP'];

/** One process of a worker, from spawn to exit. */
export class WorkerProcess {
  readonly #states: StateBox<ProcessState>;
  readonly #child: ChildProcess;
  #startedAt = performance.now();
  #readyTimer: NodeJS.Timeout | undefined;
  #isGreeted = false;
  readonly #printed: Promise<void>;
  #readyAt: number | undefined;
  #drainingAt: number | undefined;
  #killReason: KillReason | undefined;
  #asked = false;
  #leaving = false;
  #sealed = false;
  #error: ServeError | undefined;
  #resolveUnlistened: () => void = () => undefined;
  #resolveExit: () => void = () => undefined;
  /** Resolves when the worker accepts nothing by itself any more (a command: as far as we can tell), or is gone. */
  readonly unlistened = new Promise<void>((resolve) => (this.#resolveUnlistened = resolve));
  /** Resolves after the process is gone and was reported. */
  readonly exited = new Promise<void>((resolve) => (this.#resolveExit = resolve));
  /** When it was spawned. */
  readonly startedAt = new Date();
  /** Connections that were handed to it and are not closed, over all sockets. */
  connections = 0;
  /** Connections that were ever handed to it; breaks ties. */
  handed = 0;
  /** Whether it has served its `maxRequests`. */
  isSpent = false;
  /** The newest beat, and when it came. */
  beat: (Beat & { readonly at: number }) | undefined;

  constructor(
    private launch: Launch,
    private readonly listener: ProcessListener,
    /** A spare waits until {@link employ} says who it is. */
    private spare = false,
  ) {
    this.#states = new StateBox(`process of ${this.name}`, PROCESS_MOVES, 'starting', (state) => {
      if (state === 'draining') listener.onDraining(this);
    });
    this.#child = trySpawn(() => this.#spawn());
    this.#printed = drainOutput(this.#child, launch.output);
    this.#child.on('message', (message) => this.#onMessage(message));
    this.#child.on('error', (error) => this.#onError(error));
    this.#child.once('exit', (code, signal) => void this.#onExit(code, signal));
    if (!spare) this.#awaitReady();
  }

  /** Whether it was never told who it is. */
  get isSpare(): boolean {
    return this.spare;
  }

  get state(): ProcessState {
    return this.#states.state;
  }
  get pid(): number | undefined {
    return this.#child.pid;
  }
  get generation(): number {
    return this.launch.init.generation;
  }
  get workerId(): number {
    return this.launch.init.workerId;
  }
  get watcher(): string {
    return this.launch.init.watcher;
  }
  get limits(): RecycleLimits {
    return this.launch.limits;
  }
  get rssBytes(): number | undefined {
    return this.beat?.rssBytes;
  }
  /** `worker 2 of 'http-api'`. */
  get name(): string {
    return `worker ${this.workerId} of '${this.watcher}'`;
  }
  /** What tells its metrics from those of every other process. */
  get source(): string {
    return `${this.watcher}:${this.workerId}:${this.generation}`;
  }
  /** How long it has been ready; 0 if it is not. */
  get readyForMs(): number {
    return this.#readyAt === undefined ? 0 : performance.now() - this.#readyAt;
  }
  /** Time since the spawn. */
  get uptimeMs(): number {
    return performance.now() - this.#startedAt;
  }
  /** Time from the spawn to ready. */
  get startTookMs(): number {
    return (this.#readyAt ?? performance.now()) - this.#startedAt;
  }
  /** When it was last heard of: its newest beat, or when it became ready. */
  get lastBeatAtMs(): number {
    return this.beat?.at ?? this.#readyAt ?? this.#startedAt;
  }
  /** How overdue its next beat is; 0 while it is in time, and when it has not sent any. */
  get heartbeatOverdueMs(): number {
    if (this.beat === undefined) return 0;
    return Math.max(0, Math.round(performance.now() - this.beat.at - this.launch.init.heartbeatMs));
  }
  /** What it said about a failure. */
  get error(): ServeError | undefined {
    return this.#error;
  }
  /** Whether a worker that was asked to stop may still be handed connections: it serves, and was not told the last. */
  get canStillTake(): boolean {
    return this.#states.is('draining') && this.#readyAt !== undefined && !this.#sealed;
  }
  /** Whether it is an entry, with a channel over which connections and messages go. */
  get hasChannel(): boolean {
    return this.launch.program.kind === 'node';
  }

  /** Makes a spare the worker of `launch`. False if it was spawned for something else, or is on its way out. */
  employ(launch: Launch): boolean {
    const isWaiting = this.spare && this.#child.connected && this.#states.is('starting');
    if (!isWaiting || !isSpawnedAlike(this.launch, launch)) return false;
    this.spare = false;
    this.launch = launch;
    this.#startedAt = performance.now();
    this.#awaitReady();
    if (this.#isGreeted) this.#greet();
    return true;
  }

  /** Sends a message, with a connection if there is one. False if the channel is closed. */
  send(message: ArbiterMessage, handle?: RawHandle): boolean {
    if (!this.#child.connected) return false;
    // Node hands raw handles over as it does for sockets; only the public type does not say so.
    this.#child.send(message, handle as SendHandle | undefined, { keepOpen: true }, () => undefined);
    return true;
  }

  /**
   * Asks it to stop accepting and, once {@link seal} was called, to finish; kills the group when the time is over. Asked
   * again, it may only begin to be in a hurry.
   */
  drain(graceMs: number, hurry = false): void {
    this.#asked = true;
    if (hurry && this.#states.is('draining')) this.send({ supervisor: 'drain', graceMs, hurry });
    if (!this.#states.is('starting', 'ready')) return;
    const wasReady = this.#states.is('ready');
    this.#drainingAt = performance.now();
    this.#states.setState('draining');
    this.#killAfter(wasReady ? graceMs : Math.min(graceMs, UNREADY_GRACE_MS));
    const { stopSignal } = this.launch;
    if (!wasReady) {
      // It serves nobody; the signal also reaches a worker that has not attached yet.
      this.#resolveUnlistened();
      killGroup(this.pid, stopSignal ?? 'SIGTERM');
      return;
    }
    // To the program alone: it knows best how what it started is to be stopped.
    if (stopSignal !== undefined) this.#child.kill(stopSignal);
    if (!this.hasChannel) {
      this.#resolveUnlistened();
      return;
    }
    if (!this.send({ supervisor: 'drain', graceMs, hurry })) {
      this.kill('forced');
    }
  }

  /** Sends it a signal. False if it is gone. */
  signal(signal: NodeJS.Signals): boolean {
    return !this.#states.is('exited') && this.#child.kill(signal);
  }

  /** Says that no more connections will come. */
  seal(): void {
    if (this.#sealed || !this.#states.is('draining')) return;
    this.#sealed = true;
    this.send({ supervisor: 'sealed' });
  }

  /** Kills its process group now. */
  kill(reason: KillReason, error?: ServeError): void {
    if (this.#states.is('exited')) return;
    this.#error ??= error;
    if (reason === 'forced') this.#asked = true;
    if (!killGroup(this.pid, 'SIGKILL')) return;
    this.#killReason ??= reason;
    this.listener.onKilled(this, reason);
  }

  #killAfter(graceMs: number): void {
    const timer = setTimeout(() => this.kill('grace time is over'), graceMs);
    void this.exited.then(() => clearTimeout(timer));
  }

  #onMessage(message: unknown): void {
    if (!isWorkerMessage(message)) return;
    if (message.supervisor === 'hello') this.#greet();
    else if (message.supervisor === 'ready') this.#onReady(message.info);
    else if (message.supervisor === 'fail') this.#error = ServeError.fromJSON(message.error);
    else if (message.supervisor === 'leaving') this.#leaving = !this.#asked;
    else if (message.supervisor === 'unlistened') this.#resolveUnlistened();
    else if (message.supervisor === 'spent') this.isSpent = true;
    else if (message.supervisor === 'beat') this.beat = { ...message, at: performance.now() };
    this.listener.onMessage(this, message);
  }

  #greet(): void {
    this.#isGreeted = true;
    const { init, health } = this.launch;
    if (this.spare) {
      this.send({ supervisor: 'spare', data: init.data });
    } else {
      this.send({ supervisor: 'init', ...init });
      this.send({ supervisor: 'tree', ...health() });
    }
  }

  #awaitReady(): void {
    this.#readyTimer = setTimeout(() => this.#onNotReady(), this.launch.readyTimeoutMs);
  }

  #spawn(): ChildProcess {
    if (this.hasChannel) return spawnNode(this.launch);
    const { child, problem } = spawnCommand(this.launch, () => this.#onReady(null));
    this.#error = problem;
    return child;
  }

  #onReady(info: JsonValue): void {
    if (!this.#states.is('starting')) return;
    clearTimeout(this.#readyTimer);
    this.#readyAt = performance.now();
    this.#states.setState('ready');
    this.listener.onReady(this, info);
  }

  #onNotReady(): void {
    if (!this.#states.is('starting')) return;
    const message = `${this.name} was not ready within ${this.launch.readyTimeoutMs} ms`;
    this.kill('not ready in time', new ServeError('worker_not_ready', message));
  }

  #onError(error: Error): void {
    // Without a pid the spawn failed, and no exit follows. Other errors (a message to a dead worker) end in an exit.
    if (this.pid !== undefined) return;
    this.#error = new ServeError('worker_not_ready', `${this.name} cannot be started: ${error.message}`, {
      cause: error,
    });
    void this.#onExit(null, null);
  }

  async #onExit(code: number | null, signal: NodeJS.Signals | null): Promise<void> {
    // What it left behind goes first: grandchildren could hold ports and channels open.
    killGroup(this.pid, 'SIGKILL');
    clearTimeout(this.#readyTimer);
    const exit = this.#describeExit(code, signal);
    await awaitLastWords(this.#child, this.#printed);
    this.#states.setState('exited');
    this.#resolveUnlistened();
    this.listener.onExit(this, { ...exit, error: this.#error ?? exit.error });
    this.#resolveExit();
  }

  #describeExit(code: number | null, signal: NodeJS.Signals | null): ProcessExit {
    const livedMs = this.uptimeMs;
    const drainMs = this.#drainingAt === undefined ? undefined : performance.now() - this.#drainingAt;
    const wasReady = this.#readyAt !== undefined;
    const how = signal === null ? `with code ${String(code)}` : `on ${signal}`;
    const when = wasReady
      ? `after ${Math.round(livedMs)} ms`
      : 'before it was ready; its own words are above';
    const left = this.#leaving || (!this.#asked && signal !== null && STOP_SIGNALS.includes(signal));
    const asked = this.#asked && !this.#leaving;
    const error = asked ? undefined : new ServeError('worker_not_ready', `${this.name} ended ${how} ${when}`);
    const reason = this.#killReason ?? this.#reasonOf(code, asked, left);
    return { code, signal, reason, livedMs, drainMs, readyForMs: this.readyForMs, asked, left, error };
  }

  #reasonOf(code: number | null, asked: boolean, left: boolean): ExitReason {
    if (this.pid === undefined) return 'not started';
    if (asked) return 'asked';
    if (left) return 'left';
    return code === 0 ? 'ended' : 'crashed';
  }
}
