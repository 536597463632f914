import type net from 'node:net';
import { exitCodeOf, ServeError } from '@bentots/errors';
import type { ArbiterMessage, DrainOrder, TreeHealth, WorkerInit } from '../ipc.js';
import type { JsonValue } from '../plan.js';
import { BeatMeter } from './beat-meter.js';
import type { Channel } from './channel.js';
import { LoadMeter } from './load-meter.js';
import { ServedSockets } from './served-sockets.js';

/** What a worker knows about itself, and what it can tell its arbiter. */
export interface Worker {
  readonly watcher: string;
  /** 1 to N, kept over restarts. */
  readonly workerId: number;
  /** Counts the processes that this worker number has had, from 1. */
  readonly generation: number;
  /** The plan's `data` for this watcher. */
  readonly data: unknown;
  /** Whether it is about to stop, from the lame-duck time on: its readiness is over, though requests are still served. */
  readonly draining: boolean;
  /** What the arbiter says of the whole tree; readiness is to tell it. */
  readonly treeHealth: TreeHealth;
  /** Registers what is told {@link treeHealth}, at once and whenever it has changed; must not throw. */
  onTree(fn: (health: TreeHealth) => void): void;
  /** Lets a server have the connections of a socket; `net`, `http` and `https` servers alike. */
  serve(socket: string, server: net.Server): Promise<void>;
  /** Says that it serves. `info` goes into the event. */
  ready(info?: JsonValue): void;
  /** Tells the arbiter why this worker cannot serve, and exits with the error's code. */
  fail(error: unknown): Promise<never>;
  /** Registers what is done when {@link draining} becomes true, while connections still come; must not throw. */
  onLameDuck(fn: () => void): void;
  /**
   * Registers what is done when no new connection comes any more; run in reverse order of registration, one after the
   * other. `signal` aborts when the grace time is nearly over: then give up what is left. `manner` is for
   * `drainHttpServer`.
   */
  onDrain(fn: DrainHook): void;
  /** Counts requests that are done, so that the watcher's `maxRequests` can replace this process. @default 1 */
  served(count?: number): void;
  /**
   * Tells how long work waits for its turn in this process, the sign of a scaler that more workers would help. The worst
   * figure goes with the next beat; no figure since the last one means that none is known. Throws `invalid_argument` if
   * the tree has no such watcher.
   */
  reportLoad(load: LoadReport): void;
  /** Registers the source of metric snapshots (JSON); asked for by the arbiter, pushed when changed, sent at the end. */
  snapshots(fn: () => unknown): void;
  /** The metrics of the whole tree, merged by the arbiter. */
  metricsText(): Promise<string>;
}

/** How long work waits for its turn. */
export interface LoadReport {
  readonly queueDelayMs: number;
  /** Whose workers it waits for. @default the worker's own watcher */
  readonly watcher?: string;
}

/** How to drain; looked at again and again, as it may change. */
export interface DrainManner {
  /** Whether somebody waits at a terminal: nothing that may never come is waited for. */
  readonly hurry: boolean;
}

/** What a worker does before it ends. */
export type DrainHook = (signal: AbortSignal, manner: DrainManner) => void | Promise<void>;

/** The end of the grace time is the kill; hooks are told so much earlier. */
const MARGIN_MS = 1000;
const METRICS_LIMIT_MS = 5000;

/** The {@link Worker} of this process. */
export class AttachedWorker implements Worker {
  readonly #sockets: ServedSockets;
  readonly #hooks: DrainHook[] = [];
  readonly #metricsWaiting = new Map<number, (text: string | null) => void>();
  readonly #late = new AbortController();
  #takeSnapshot: (() => unknown) | undefined;
  #lastPushed = '';
  #lastMetricsId = 0;
  #treeHealth: TreeHealth = { lameDuck: false, crashLooping: [], ready: {} };
  readonly #onTree: ((health: TreeHealth) => void)[] = [];
  readonly #onLameDuck: (() => void)[] = [];
  readonly #manner = { hurry: false };
  #isReady = false;
  readonly #load = new LoadMeter();
  #requestsLeft: number;
  #draining = false;
  #unlistened = false;
  #sealed = false;

  constructor(
    private readonly init: WorkerInit,
    private readonly channel: Channel,
  ) {
    process.title = init.title;
    this.#requestsLeft = init.maxRequests ?? Infinity;
    this.#sockets = new ServedSockets(init.sockets, (socket, count) => {
      void channel.send({ supervisor: 'closed', socket, count });
    });
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const)
      process.on(signal, () => void this.#leave());
    this.#startBeating(init.heartbeatMs);
    setInterval(() => void this.#pushSnapshot(), init.snapshotMs).unref();
  }

  get watcher(): string {
    return this.init.watcher;
  }
  get workerId(): number {
    return this.init.workerId;
  }
  get generation(): number {
    return this.init.generation;
  }
  get data(): unknown {
    return this.init.data;
  }
  get draining(): boolean {
    return this.#draining;
  }
  get treeHealth(): TreeHealth {
    return this.#treeHealth;
  }

  serve(socket: string, server: net.Server): Promise<void> {
    return this.#sockets.serve(socket, server);
  }

  ready(info: JsonValue = null): void {
    this.#isReady = true;
    void this.channel.send({ supervisor: 'ready', info });
  }

  async fail(error: unknown): Promise<never> {
    const failure = describeFailure(error);
    await this.channel.send({ supervisor: 'fail', error: failure.toJSON() });
    process.exit(exitCodeOf(failure.code));
  }

  onLameDuck(fn: () => void): void {
    this.#onLameDuck.push(fn);
    if (this.#draining) fn();
  }

  onDrain(fn: DrainHook): void {
    this.#hooks.unshift(fn);
  }

  served(count = 1): void {
    const wasSpent = this.#requestsLeft <= 0;
    this.#requestsLeft -= count;
    if (!wasSpent && this.#requestsLeft <= 0) void this.channel.send({ supervisor: 'spent' });
  }

  onTree(fn: (health: TreeHealth) => void): void {
    this.#onTree.push(fn);
    fn(this.#treeHealth);
  }

  reportLoad({ queueDelayMs, watcher = this.watcher }: LoadReport): void {
    const { ready } = this.#treeHealth;
    if (!Object.hasOwn(ready, watcher)) {
      const available = Object.keys(ready).join(', ');
      const message = `no watcher is named '${watcher}'; the tree has: ${available}`;
      throw new ServeError('invalid_argument', message);
    }
    this.#load.add(watcher, queueDelayMs);
  }

  snapshots(fn: () => unknown): void {
    this.#takeSnapshot = fn;
  }

  metricsText(): Promise<string> {
    const id = ++this.#lastMetricsId;
    return new Promise((resolve, reject) => {
      const fail = (why: string): void => reject(new ServeError('unavailable', `no metrics: ${why}`));
      const timer = setTimeout(() => {
        this.#metricsWaiting.delete(id);
        fail(`the arbiter did not answer within ${METRICS_LIMIT_MS} ms`);
      }, METRICS_LIMIT_MS);
      this.#metricsWaiting.set(id, (text) => {
        clearTimeout(timer);
        if (text === null) fail('the arbiter could not merge them');
        else resolve(text);
      });
      void this.channel.send({ supervisor: 'ask-metrics', id });
    });
  }

  /** Takes a message of the arbiter. @internal */
  receive(message: ArbiterMessage, handle: unknown): void {
    if (message.supervisor === 'connection') {
      // Before its first byte is read here: only what nobody read may be handed to another worker.
      void this.channel.send({ supervisor: 'taken', id: message.id });
      if (typeof handle === 'object' && handle !== null) this.#sockets.take(message.socket, handle);
      else void this.channel.send({ supervisor: 'closed', socket: message.socket, count: 1 });
    } else if (message.supervisor === 'drain') this.#beginDrain(message);
    else if (message.supervisor === 'tree') this.#learn(message);
    else if (message.supervisor === 'sealed') void this.#finish();
    else if (message.supervisor === 'ask-snapshot') void this.#sendSnapshot(message.id);
    else if (message.supervisor === 'metrics') {
      this.#metricsWaiting.get(message.id)?.(message.text);
      this.#metricsWaiting.delete(message.id);
    }
  }

  /** A signal from outside: the arbiter decides, as for every other end. */
  async #leave(): Promise<void> {
    if (this.#unlistened) return;
    await this.channel.send({ supervisor: 'leaving' });
    // Nobody is served yet, so there is nothing to finish.
    if (!this.#isReady) process.exit();
  }

  #learn({ lameDuck, crashLooping, ready }: TreeHealth): void {
    this.#treeHealth = { lameDuck, crashLooping, ready };
    if (lameDuck) this.#endReadiness();
    for (const fn of this.#onTree) fn(this.#treeHealth);
  }

  #endReadiness(): void {
    if (this.#draining) return;
    this.#draining = true;
    // Connections that are told to close now come back elsewhere, or here as new ones, and none is idle at the end.
    this.#sockets.sayClose();
    for (const fn of this.#onLameDuck) fn();
  }

  #beginDrain({ graceMs, hurry }: DrainOrder): void {
    if (hurry) this.#manner.hurry = true;
    if (this.#unlistened) return;
    this.#unlistened = true;
    this.#endReadiness();
    setTimeout(() => this.#late.abort(), Math.max(graceMs - MARGIN_MS, graceMs * 0.9)).unref();
    this.#sockets.unlisten();
    void this.channel.send({ supervisor: 'unlistened' });
  }

  async #finish(): Promise<void> {
    if (this.#sealed) return;
    this.#sealed = true;
    for (const hook of this.#hooks) {
      try {
        await hook(this.#late.signal, this.#manner);
      } catch (error) {
        process.exitCode = 1;
        process.stderr.write(`${this.init.title}: a drain hook failed: ${String(error)}\n`);
      }
    }
    await this.#sendSnapshot(0);
    process.exit();
  }

  async #pushSnapshot(): Promise<void> {
    if (this.#takeSnapshot === undefined || this.#sealed) return;
    const snapshot = await this.#snapshot();
    const json = JSON.stringify(snapshot);
    if (json === this.#lastPushed) return;
    this.#lastPushed = json;
    await this.channel.send({ supervisor: 'snapshot', id: 0, snapshot });
  }

  async #sendSnapshot(id: number): Promise<void> {
    await this.channel.send({ supervisor: 'snapshot', id, snapshot: await this.#snapshot() });
  }

  async #snapshot(): Promise<unknown> {
    try {
      return (await this.#takeSnapshot?.()) ?? null;
    } catch (error) {
      process.stderr.write(`${this.init.title}: no metric snapshot: ${String(error)}\n`);
      return null;
    }
  }

  #startBeating(intervalMs: number): void {
    const meter = new BeatMeter(intervalMs);
    const beat = (): void => {
      const { connections } = this.#sockets;
      const load = this.#load.take(this.watcher);
      void this.channel.send({ supervisor: 'beat', ...meter.take(), connections, ...load });
    };
    setInterval(beat, intervalMs).unref();
  }
}

/** The user must learn what their own code threw: here the message of a foreign error is told, and its stack printed. */
function describeFailure(error: unknown): ServeError {
  if (error instanceof ServeError) return error;
  const words = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${error instanceof Error ? (error.stack ?? words) : words}\n`);
  const className = error instanceof Error ? error.constructor.name : typeof error;
  return new ServeError('worker_not_ready', `a worker could not start: ${words}`, {
    details: { class: className },
  });
}
