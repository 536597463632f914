import { ServeError } from '@bentots/errors';
import type { Balancer } from './balancer.js';
import { CommandQueue } from './command-queue.js';
import type { SupervisorEvent } from './events.js';
import type { Pulse } from './heartbeat.js';
import type { TreeHealth, WorkerMessage } from './ipc.js';
import type { WatcherConfig } from './plan.js';
import type { OwnedFile } from './socket/unix-path.js';
import { planLaunch } from './plan-launch.js';
import type { Launch } from './process/launch.js';
import type { Outputs } from './process/output-sinks.js';
import { type ProcessListener, WorkerProcess } from './process/worker-process.js';
import type { RecycleReason } from './recycle.js';
import { Slot } from './slot.js';
import type { Seat, SlotHost } from './slot-host.js';
import type { Listener } from './socket/listener.js';
import { watcherStateOf, type WatcherState } from './states.js';
import { within } from './within.js';

/** What a worker that does not answer may delay the closing of a socket. */
const UNLISTEN_LIMIT_MS = 1000;

/** What a watcher needs from its arbiter. */
export interface WatcherHost {
  readonly treeName: string;
  /** Unix socket files that a child removes if it outlives the arbiter. */
  readonly files: readonly OwnedFile[];
  readonly outputs: Outputs;
  /** What every worker is told about the tree. */
  readonly health: TreeHealth;
  /** Whether somebody waits at a terminal. */
  readonly hurry: boolean;
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

/** Keeps the workers of one {@link WatcherConfig} alive. Its commands run one after the other, in the order of asking. */
export class Watcher implements SlotHost {
  readonly #queue = new CommandQueue();
  readonly #retiring = new Map<WorkerProcess, Promise<void>>();
  #config: WatcherConfig;
  /** Workers 1 to N. */
  #slots: readonly Slot[];
  /** Those above N, which finish what they have. */
  #leaving: readonly Slot[] = [];
  #asked: 'start' | 'stop' = 'stop';

  constructor(
    config: WatcherConfig,
    readonly sockets: readonly ServedSocket[],
    private readonly host: WatcherHost,
  ) {
    this.#config = config;
    this.#slots = this.#createSlots(1, config.numProcesses);
  }

  /** What new workers are started with; a reload may change it. */
  get config(): WatcherConfig {
    return this.#config;
  }
  get name(): string {
    return this.#config.name;
  }
  /** How many workers there are meant to be now. */
  get numProcesses(): number {
    return this.#slots.length;
  }
  /** All workers, also those that are about to be gone for good. */
  get slots(): readonly Slot[] {
    return [...this.#slots, ...this.#leaving];
  }
  get state(): WatcherState {
    return watcherStateOf(
      this.#asked,
      this.#slots.map((slot) => slot.state),
    );
  }
  /** Every process that is not gone yet. */
  get processes(): readonly WorkerProcess[] {
    return this.slots.flatMap((slot) => slot.processes);
  }
  /** Those that serve, and are not asked to go. */
  get readyProcesses(): readonly WorkerProcess[] {
    return this.processes.filter(({ state }) => state === 'ready');
  }

  /** Starts all workers together; resolves when all are ready, rejects with the error of the first that fails. */
  start(): Promise<void> {
    this.#asked = 'start';
    return this.#queue.run(async () => {
      await Promise.all(this.#slots.map((slot) => slot.start()));
    });
  }

  /**
   * Stops all workers. First nobody accepts by himself any more, then `closeSockets` accepts what is queued, hands it
   * out and closes; only then the workers finish, so that no connection is left between two stools.
   */
  async stop(closeSockets: () => Promise<void>): Promise<void> {
    this.#asked = 'stop';
    for (const slot of this.slots) slot.beginStop(this.config.graceMs, this.host.hurry);
    const processes = this.processes;
    await within(UNLISTEN_LIMIT_MS, Promise.all(processes.map((process) => process.unlistened)));
    await closeSockets();
    await within(UNLISTEN_LIMIT_MS, Promise.all(processes.map((process) => this.#settled(process))));
    for (const process of processes) process.seal();
    await Promise.all(processes.map((process) => process.exited));
  }

  /**
   * Replaces one worker after the other by one that is started with `config`, then has as many as it says, if that has
   * changed. Stops at the first whose successor fails, and throws its error; those that were not replaced keep theirs.
   */
  reload(config: WatcherConfig = this.#config): Promise<void> {
    return this.#queue.run(async () => {
      const count = config.numProcesses === this.#config.numProcesses ? undefined : config.numProcesses;
      for (const slot of this.#slots.slice(0, count)) {
        this.#queue.throwIfClosed();
        await slot.replace('reload', config);
      }
      this.#config = config;
      if (count !== undefined) await this.#resize(count);
    });
  }

  /** Stops and starts the worker of this number, or one after the other; ends at the first that does not get ready. */
  restart(workerId?: number): Promise<void> {
    return this.#queue.run(async () => {
      const slots = workerId === undefined ? this.#slots : [this.#slotOf(workerId)];
      for (const slot of slots) {
        this.#queue.throwIfClosed();
        await slot.restart();
      }
    });
  }

  /**
   * Starts workers, or drains those of the highest numbers, until there are as many as `decide` says when the turn of
   * this command comes; resolves to their number. If one does not get ready, all new ones end and its error is thrown.
   */
  resize(decide: (current: number) => number): Promise<number> {
    return this.#queue.run(async () => {
      await this.#resize(decide(this.#slots.length));
      return this.#slots.length;
    });
  }

  /** Replaces a process, if it is still there and ready when the turn of this command comes. */
  replaceProcess(process: WorkerProcess, reason: RecycleReason): Promise<void> {
    return this.#queue.run(async () => {
      const slot = this.#slots.find(({ current }) => current === process);
      if (process.state === 'ready') await slot?.replace(reason);
    });
  }

  /** The tree is being stopped, though this watcher's turn may come later: `error` is what commands get from now on. */
  refuseCommands(error: ServeError): void {
    this.#queue.close(error);
  }

  /** Sends a signal to the processes of one worker number or of all; says how many got it. */
  signal(signal: NodeJS.Signals, workerId?: number): number {
    const slots = workerId === undefined ? this.slots : [this.#slotOf(workerId)];
    return slots.flatMap((slot) => slot.processes).filter((process) => process.signal(signal)).length;
  }

  /** A stop that is under way does not wait for idle clients any more. */
  hurry(): void {
    for (const process of this.processes) {
      if (process.state === 'draining') process.drain(this.config.graceMs, true);
    }
  }

  /** Tells every worker what became of the tree. */
  tell(health: TreeHealth): void {
    for (const process of this.processes) process.send({ supervisor: 'tree', ...health });
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

  retire(process: WorkerProcess): Promise<void> {
    const retiring = this.#retiring.get(process) ?? this.#retire(process);
    this.#retiring.set(process, retiring);
    return retiring;
  }

  spawn(seat: Seat, listener: ProcessListener): WorkerProcess {
    return new WorkerProcess(this.#planLaunch(seat), listener, seat.isSpare);
  }

  employ(spare: WorkerProcess, seat: Seat): boolean {
    return spare.employ(this.#planLaunch(seat));
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
    this.#retiring.delete(process);
    for (const { balancer } of this.sockets) balancer.onGone(process);
    this.host.onGone(process);
  }

  onCrashLoop(error: ServeError): void {
    this.host.onCrashLoop(error);
  }

  async #resize(count: number): Promise<void> {
    const previous = this.#slots.length;
    if (count === previous) return;
    if (count > previous) await this.#grow(count);
    else await this.#shrink(count);
    this.emit({ type: 'num-processes', watcher: this.name, numProcesses: count, previous });
  }

  async #grow(count: number): Promise<void> {
    const previous = this.#slots.length;
    const added = this.#createSlots(previous + 1, count);
    this.#slots = [...this.#slots, ...added];
    try {
      await Promise.all(added.map((slot) => slot.start()));
    } catch (error) {
      await this.#shrink(previous);
      throw error;
    }
  }

  async #shrink(count: number): Promise<void> {
    this.#leaving = this.#slots.slice(count);
    this.#slots = this.#slots.slice(0, count);
    await Promise.all(this.#leaving.map((slot) => slot.end()));
    this.#leaving = [];
  }

  #createSlots(from: number, to: number): readonly Slot[] {
    const config = this.#config;
    return Array.from({ length: to - from + 1 }, (_, index) => new Slot(from + index, config, this));
  }

  #slotOf(workerId: number): Slot {
    const slot = this.#slots[workerId - 1];
    if (slot !== undefined) return slot;
    const message = `watcher '${this.name}' has no worker ${workerId}; it has 1 to ${this.#slots.length}`;
    throw new ServeError('not_found', message);
  }

  async #retire(process: WorkerProcess): Promise<void> {
    process.drain(this.#config.graceMs, this.host.hurry);
    await process.unlistened;
    await this.#settled(process);
    process.seal();
    await process.exited;
  }

  #planLaunch(seat: Seat): Launch {
    const listeners = this.sockets.map(({ listener }) => listener);
    return planLaunch(seat, listeners, this.host);
  }

  async #settled(process: WorkerProcess): Promise<void> {
    await Promise.all(this.sockets.map(({ balancer }) => balancer.settled(process)));
  }
}
