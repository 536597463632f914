import { ServeError } from '@bentots/errors';
import type { Balancer } from './balancer.js';
import type { SupervisorEvent } from './events.js';
import type { Pulse } from './heartbeat.js';
import type { WorkerMessage, WorkerSocket } from './ipc.js';
import type { WatcherConfig } from './plan.js';
import type { OwnedFile } from './socket/unix-path.js';
import { FIRST_SOCKET_FD, type Launch, type WorkerProcess } from './process/worker-process.js';
import { Slot, type SlotHost } from './slot.js';
import type { Listener } from './socket/listener.js';
import { watcherStateOf, type WatcherState } from './states.js';
import type { RestartPolicy } from './restart-policy.js';
import { within } from './within.js';

/** What a worker that does not answer may delay the closing of a socket. */
const UNLISTEN_LIMIT_MS = 1000;
const HEARTBEAT_MS = 1000;
const SNAPSHOT_MS = 1000;

/** What a watcher needs from its arbiter. */
export interface WatcherHost {
  readonly treeName: string;
  /** Unix socket files that a child removes if it outlives the arbiter. */
  readonly files: readonly OwnedFile[];
  emit(event: SupervisorEvent): void;
  onMessage(process: WorkerProcess, message: WorkerMessage): void;
  onGone(process: WorkerProcess): void;
  onCrashLoop(error: ServeError): void;
}

/** A socket with what hands its connections out. */
export interface ServedSocket {
  readonly listener: Listener;
  readonly balancer: Balancer;
}

/** Keeps the workers of one {@link WatcherConfig} alive. */
export class Watcher implements SlotHost {
  readonly slots: readonly Slot[];
  #asked: 'start' | 'stop' = 'stop';

  constructor(
    readonly config: WatcherConfig,
    readonly sockets: readonly ServedSocket[],
    private readonly host: WatcherHost,
  ) {
    this.slots = Array.from(
      { length: config.numProcesses },
      (_, index) => new Slot(index + 1, config.name, this),
    );
  }

  get state(): WatcherState {
    return watcherStateOf(
      this.#asked,
      this.slots.map((slot) => slot.state),
    );
  }
  /** Every process that is not gone yet. */
  get processes(): readonly WorkerProcess[] {
    return this.slots.flatMap((slot) => slot.processes);
  }
  get hasSpares(): boolean {
    return this.config.spare;
  }
  get policy(): RestartPolicy {
    return this.config.restart;
  }

  /** Starts all workers together; resolves when all are ready, rejects with the error of the first that fails. */
  async start(): Promise<void> {
    this.#asked = 'start';
    await Promise.all(this.slots.map((slot) => slot.start()));
  }

  /**
   * Stops all workers. First nobody accepts by himself any more, then `closeSockets` accepts what is queued, hands it
   * out and closes; only then the workers finish, so that no connection is left between two stools.
   */
  async stop(closeSockets: () => Promise<void>): Promise<void> {
    this.#asked = 'stop';
    for (const slot of this.slots) slot.beginStop(this.config.graceMs);
    const processes = this.processes;
    await within(UNLISTEN_LIMIT_MS, Promise.all(processes.map((process) => process.unlistened)));
    await closeSockets();
    await within(UNLISTEN_LIMIT_MS, Promise.all(processes.map((process) => this.#settled(process))));
    for (const process of processes) process.seal();
    await Promise.all(processes.map((process) => process.exited));
  }

  /** Replaces one worker after the other; stops at the first whose successor fails, and throws its error. */
  async reload(): Promise<void> {
    for (const slot of this.slots) await slot.replace();
  }

  /** Kills all workers. */
  force(): void {
    this.#asked = 'stop';
    for (const slot of this.slots) slot.force();
  }

  /** Kills ready workers whose heartbeat stopped: their event loop is blocked. */
  killSilent(isSilent: (pulse: Pulse) => boolean): void {
    const limitMs = this.config.heartbeatLimitMs;
    for (const process of this.processes) {
      if (process.state !== 'ready' || !isSilent({ lastBeatAtMs: process.lastBeatAtMs, limitMs })) continue;
      const message = `the event loop of ${process.name} was blocked for more than ${limitMs} ms`;
      process.kill('heartbeat stopped', new ServeError('worker_not_ready', message));
    }
  }

  async retire(process: WorkerProcess): Promise<void> {
    process.drain(this.config.graceMs);
    await process.unlistened;
    await this.#settled(process);
    process.seal();
    await process.exited;
  }

  launch(workerId: number, generation: number): Launch {
    const { config, host } = this;
    const shared = this.sockets.filter(({ listener }) => listener.accept === 'shared');
    const sockets = this.sockets.map(({ listener: { name, accept, backlog } }): WorkerSocket => {
      const index = shared.findIndex(({ listener }) => listener.name === name);
      return { name, accept, backlog, ...(index < 0 ? {} : { fd: FIRST_SOCKET_FD + index }) };
    });
    const perWorkerEnv = config.perWorkerEnv[(workerId - 1) % Math.max(1, config.perWorkerEnv.length)];
    return {
      entry: config.entry,
      nodeArgs: config.nodeArgs,
      args: config.args,
      env: { ...config.env, ...perWorkerEnv },
      cwd: config.cwd,
      readyTimeoutMs: config.readyTimeoutMs,
      fds: shared.map(({ listener }) => listener.fd),
      files: host.files,
      init: {
        watcher: config.name,
        workerId,
        generation,
        title: `${host.treeName}: ${config.name} ${workerId}`,
        data: config.data,
        sockets,
        heartbeatMs: HEARTBEAT_MS,
        snapshotMs: SNAPSHOT_MS,
      },
    };
  }

  emit(event: SupervisorEvent): void {
    this.host.emit(event);
  }

  onMessage(process: WorkerProcess, message: WorkerMessage): void {
    if (message.supervisor === 'taken') {
      for (const { balancer } of this.sockets) balancer.onTaken(message.id, process);
    } else if (message.supervisor === 'closed') {
      process.connections = Math.max(0, process.connections - message.count);
    } else {
      this.host.onMessage(process, message);
    }
  }

  /** A ready worker is what balanced sockets wait for: from the first one on, the arbiter accepts. */
  onReady(): void {
    for (const { listener, balancer } of this.sockets) {
      if (listener.accept !== 'balanced') continue;
      listener.startAccepting(balancer.take);
      balancer.onReady();
    }
  }

  onGone(process: WorkerProcess): void {
    for (const { balancer } of this.sockets) balancer.onGone(process);
    this.host.onGone(process);
  }

  onCrashLoop(error: ServeError): void {
    this.host.onCrashLoop(error);
  }

  async #settled(process: WorkerProcess): Promise<void> {
    await Promise.all(this.sockets.map(({ balancer }) => balancer.settled(process)));
  }
}
