import { EXIT, exitCodeOf, ServeError } from '@bentots/errors';
import type { ArbiterOptions, StopOptions } from './arbiter-options.js';
import { Balancer } from './balancer.js';
import { ControlServer } from './control/control-server.js';
import type { SupervisorEvent } from './events.js';
import type { TreeHealth, WorkerMessage } from './ipc.js';
import { groupByPriority } from './group-by-priority.js';
import { LameDuck } from './lame-duck.js';
import { MetricsHub } from './metrics-hub.js';
import { compilePlan, type Plan, type PlanConfig } from './plan.js';
import type { OwnedFile } from './socket/unix-path.js';
import { Outputs } from './process/output-sinks.js';
import { reapAsProcess1 } from './process/reap-orphans.js';
import type { WorkerProcess } from './process/worker-process.js';
import type { BoundSocket } from './socket/bound-socket.js';
import { tellUnused } from './socket/adopt-descriptor.js';
import { openListeners } from './socket/listener.js';
import { StateBox, TREE_MOVES, type TreeState } from './states.js';
import { describeWatcher, type StopReport, type TreeStatus } from './status.js';
import { TreeCommands } from './tree-commands.js';
import { TreeNews } from './tree-news.js';
import { TreeUpkeep } from './tree-upkeep.js';
import { type ServedSocket, Watcher, type WatcherHost } from './watcher.js';

/**
 * Runs a plan until it is told to stop: binds the sockets, keeps the watchers' workers alive, ends everything in order.
 * It never runs code of a service; it is used once.
 */
export class Arbiter implements WatcherHost {
  readonly #plan: PlanConfig;
  readonly #states: StateBox<TreeState>;
  readonly #metrics: MetricsHub | undefined;
  readonly #commands: TreeCommands;
  readonly #listeners = new Set<(event: SupervisorEvent) => void>();
  readonly #control: ControlServer;
  readonly #lameDuck: LameDuck;
  readonly #news: TreeNews;
  #hurry: boolean;
  #served: readonly ServedSocket[] = [];
  #watchers: readonly Watcher[] = [];
  #upkeep: TreeUpkeep | undefined;
  #opening: Promise<void> | undefined;
  #starting: Promise<readonly BoundSocket[]> | undefined;
  #stopping: Promise<void> | undefined;
  #report: StopReport = { exitCode: EXIT.ok, reason: 'asked' };
  #resolveDone: (report: StopReport) => void = () => undefined;
  readonly #onProcessExit = (): void => this.#abandon();
  /** Resolves when nothing of the tree is left: no process, no socket. Never rejects. */
  readonly done = new Promise<StopReport>((resolve) => (this.#resolveDone = resolve));
  files: readonly OwnedFile[] = [];
  readonly outputs = new Outputs((file, error) => {
    this.emit({ type: 'warning', message: `output cannot be written to ${file}: ${error.message}` });
  });

  /** Throws `invalid_option` if the plan is wrong. */
  constructor(
    plan: Plan,
    private readonly options: ArbiterOptions = {},
  ) {
    this.#plan = compilePlan(plan);
    this.#news = new TreeNews(this.#plan.watchers, this);
    this.#states = new StateBox<TreeState>(`tree '${plan.name}'`, TREE_MOVES, 'new', (state) => {
      this.emit({ type: 'tree', state, ...(state === 'stopping' ? { reason: this.#report.reason } : {}) });
    });
    this.#control = new ControlServer(this.#plan.control, this);
    this.#hurry = this.#plan.hurry;
    this.#lameDuck = new LameDuck(this.#plan.lameDuckMs, () => this.#states.setState('lame-duck'));
    if (options.metrics !== undefined) {
      const ready = () => this.#watchers.flatMap(({ readyProcesses }) => readyProcesses);
      this.#metrics = new MetricsHub(options.metrics, ready);
    }
    this.#commands = new TreeCommands(this.#plan, {
      watchers: () => groupByPriority(this.#watchers).flat(),
      whenRunning: () => this.#whenRunning(),
      whileReloading: (work) => this.#whileReloading(work),
      replan: options.replan,
    });
  }

  get treeName(): string {
    return this.#plan.name;
  }

  /** The sockets with their real addresses; empty before `start`. */
  get sockets(): readonly BoundSocket[] {
    return this.#served.map(({ listener }) => listener.bound);
  }

  /**
   * Binds all sockets, then starts the watchers by priority; resolves when every worker is ready. On failure everything
   * is stopped first, then it rejects: `address_in_use`, `address_unavailable`, `worker_not_ready`, or the worker's own.
   */
  async start(): Promise<readonly BoundSocket[]> {
    this.#states.setState('starting');
    this.#starting = this.#start();
    return this.#starting;
  }

  /**
   * Lets the plan's lame-duck time pass, then drains and ends everything in reverse order, each watcher within its grace
   * time. Resolves when it is over. Asked again, it may only begin to be in a hurry.
   */
  async stop({ hurry = false }: StopOptions = {}): Promise<void> {
    if (hurry) this.#beginHurry();
    if (!this.#hurry && this.#states.is('running', 'reloading', 'lame-duck')) await this.#lameDuck.begin();
    await this.#end({ exitCode: EXIT.ok, reason: 'asked' });
  }

  /** Ends the lame-duck time, if it is on, so that the stop goes on; false if it is not on. */
  skipLameDuck(): boolean {
    return this.#lameDuck.skip();
  }

  /** Kills everything now; the report says `forced` and exit code 130. */
  force(): void {
    if (this.#states.is('stopped', 'failed')) return;
    this.#report = { exitCode: EXIT.forced, reason: 'forced' };
    for (const watcher of this.#watchers) watcher.force();
    void this.#end(this.#report);
  }

  /**
   * Replaces every worker of the tree or of one watcher, one at a time: the successor is ready before the old one
   * drains. With `options.replan` the successors follow the new plan. If one does not get ready, the old one and all that
   * follow stay, and its error is thrown; also thrown: `invalid_option` for a plan that cannot be taken, `not_found`,
   * `unavailable`. Asked again before it has begun, it happens once; later, once more.
   */
  reload(watcher?: string): Promise<void> {
    return this.#commands.reload(watcher);
  }

  /**
   * Drains and starts every worker of the tree, of one watcher, or one worker number; one at a time, the old one first.
   * Ends at the first that does not get ready, which is tried again, and throws its error; or `not_found`, `unavailable`.
   */
  restart(watcher?: string, workerId?: number): Promise<void> {
    return this.#commands.restart(watcher, workerId);
  }

  /**
   * Starts or drains workers of a watcher until there are `count`; resolves to it when new ones are ready and those of
   * the highest numbers are gone. Throws `invalid_argument` (1 to 1024; a singleton has one), `not_found`, `unavailable`,
   * or the error of a new worker that did not get ready: then none of the new ones stays.
   */
  setNumProcesses(watcher: string, count: number): Promise<number> {
    return this.#commands.setNumProcesses(watcher, count);
  }

  /** As {@link setNumProcesses}, with so many more or fewer than there are when earlier commands are done. */
  changeNumProcesses(watcher: string, by: number): Promise<number> {
    return this.#commands.changeNumProcesses(watcher, by);
  }

  /** One worker more (or less) for every watcher that may have it; a watcher that may not keeps what it has. */
  changeAll(by: 1 | -1): Promise<void> {
    return this.#commands.changeAll(by);
  }

  /** Sends a signal to all processes, those of a watcher, or of one worker number; returns how many got it. */
  signal(signal: NodeJS.Signals, watcher?: string, workerId?: number): number {
    return this.#commands.signal(signal, watcher, workerId);
  }

  /** What there is and how it is doing, as JSON. */
  status(): TreeStatus {
    return {
      name: this.#plan.name,
      state: this.#states.state,
      pid: process.pid,
      sockets: this.sockets,
      watchers: this.#watchers.map(describeWatcher),
    };
  }

  /** The merged metrics of all workers, those that are gone included. */
  async metricsText(): Promise<string> {
    return (await this.#metrics?.text()) ?? '';
  }

  /** What every worker is told about the tree. */
  get health(): TreeHealth {
    return this.#news.health;
  }

  /** Whether the time between the wish to stop and the stop is on. */
  get isLameDuck(): boolean {
    return this.#states.is('lame-duck');
  }

  get watchers(): readonly Watcher[] {
    return this.#watchers;
  }

  /** Whether somebody waits at a terminal. */
  get hurry(): boolean {
    return this.#hurry;
  }

  emit(event: SupervisorEvent): void {
    this.#news.observe(event);
    this.options.onEvent?.(event);
    for (const tell of [...this.#listeners]) tell(event);
  }

  /** Tells `listener`, which must not throw, everything that happens from now on. Returns what ends that. */
  subscribe(listener: (event: SupervisorEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  onMessage(worker: WorkerProcess, message: WorkerMessage): void {
    if (message.supervisor === 'snapshot') this.#metrics?.onSnapshot(worker, message.id, message.snapshot);
    else if (message.supervisor === 'spent') this.#upkeep?.onSpent(worker);
    else if (message.supervisor === 'ask-metrics') void this.#sendMetrics(worker, message.id);
  }

  onGone(worker: WorkerProcess): void {
    this.#metrics?.onGone(worker);
  }

  onCrashLoop(error: ServeError): void {
    void this.#end({ exitCode: exitCodeOf(error.code), reason: 'crash-loop', error });
  }

  async #start(): Promise<readonly BoundSocket[]> {
    process.once('exit', this.#onProcessExit);
    reapAsProcess1((message) => this.emit({ type: 'warning', message }));
    try {
      this.#opening = this.#open();
      await this.#opening;
      for (const group of groupByPriority(this.#watchers)) {
        this.#throwIfStopping();
        await Promise.all(group.map((watcher) => watcher.start()));
      }
      this.#throwIfStopping();
      this.#states.setState('running');
      this.#upkeep?.start();
      return this.sockets;
    } catch (error) {
      const failure = ServeError.from(error);
      await this.#end({ exitCode: exitCodeOf(failure.code), reason: 'failed', error: failure });
      throw this.#report.error ?? failure;
    }
  }

  async #open(): Promise<void> {
    await this.#control.open();
    const { listenFds = {} } = this.options;
    for (const message of tellUnused(this.#plan.sockets, listenFds)) this.emit({ type: 'warning', message });
    const listeners = await openListeners(this.#plan.sockets, listenFds);
    this.files = [...listeners, this.#control].flatMap(({ file }) => file ?? []);
    this.#served = listeners.map((listener) => {
      const users = () => this.#watchers.filter(({ config }) => config.sockets.includes(listener.name));
      const workers = () => users().flatMap((watcher) => watcher.processes);
      return { listener, balancer: new Balancer(listener.name, workers) };
    });
    this.#watchers = this.#plan.watchers.map((config) => {
      const sockets = this.#served.filter(({ listener }) => config.sockets.includes(listener.name));
      return new Watcher(config, sockets, this);
    });
    this.#upkeep = new TreeUpkeep(this.#watchers, (message) => this.emit({ type: 'warning', message }));
    for (const socket of this.sockets) this.emit({ type: 'socket-bound', socket });
  }

  #beginHurry(): void {
    this.#hurry = true;
    this.#lameDuck.skip();
    for (const watcher of this.#watchers) watcher.hurry();
  }

  #throwIfStopping(): void {
    if (this.#stopping === undefined) return;
    throw new ServeError('cancelled', 'the server was stopped before it was ready');
  }

  /** The only way to the end. The first report counts, unless somebody lost patience. */
  #end(report: StopReport): Promise<void> {
    this.#stopping ??= this.#stopAll(report);
    return this.#stopping;
  }

  async #stopAll(report: StopReport): Promise<void> {
    this.#report = report;
    this.#lameDuck.skip();
    if (!this.#states.is('new')) this.#states.setState('stopping');
    await this.#opening?.catch(() => undefined);
    this.#upkeep?.stop();
    this.#commands.close(new ServeError('unavailable', `the tree '${this.#plan.name}' is stopping`));
    for (const group of [...groupByPriority(this.#watchers)].reverse()) {
      await Promise.all(group.map((watcher) => watcher.stop(() => this.#closeSocketsOf(watcher))));
    }
    this.#closeAll();
    await this.outputs.close();
    this.#news.close();
    process.off('exit', this.#onProcessExit);
    this.#states.setState(['asked', 'forced'].includes(this.#report.reason) ? 'stopped' : 'failed');
    await this.#commands.answered();
    this.#control.close();
    this.#resolveDone(this.#report);
  }

  /** Closes the sockets that no other watcher still serves. */
  async #closeSocketsOf(watcher: Watcher): Promise<void> {
    const others = this.#watchers.filter(
      (other) => other !== watcher && !['stopped', 'stopping'].includes(other.state),
    );
    const own = watcher.sockets.filter((socket) => !others.some((other) => other.sockets.includes(socket)));
    await Promise.all(own.map(({ listener, balancer }) => listener.seal(balancer.take)));
  }

  /** Commands wait for the start; after the end they are refused. */
  async #whenRunning(): Promise<void> {
    await this.#starting?.catch(() => undefined);
    if (this.#states.is('running', 'reloading')) return;
    const message = `the tree '${this.#plan.name}' is ${this.#states.state}; commands need one that runs`;
    throw new ServeError('unavailable', message);
  }

  async #whileReloading(work: () => Promise<void>): Promise<void> {
    this.#states.setState('reloading');
    try {
      await work();
    } finally {
      if (this.#states.is('reloading')) this.#states.setState('running');
    }
  }

  async #sendMetrics(worker: WorkerProcess, id: number): Promise<void> {
    const text = await this.metricsText().catch((error: unknown) => {
      this.emit({ type: 'warning', message: `the metrics cannot be merged: ${String(error)}` });
      return null;
    });
    worker.send({ supervisor: 'metrics', id, text });
  }

  #closeAll(): void {
    for (const { listener, balancer } of this.#served) {
      listener.close();
      balancer.close();
    }
  }

  /** This process ends without having stopped the tree: what can be done without waiting is done. */
  #abandon(): void {
    for (const watcher of this.#watchers) watcher.force();
    this.#closeAll();
    this.#control.close();
  }
}
