import { ServeError } from '@bentots/errors';
import { CommandQueue } from './command-queue.js';
import { MAX_PROCESSES } from './compile-watcher.js';
import { compilePlan, type Plan, type PlanConfig } from './plan.js';
import { checkReplan } from './replan.js';
import { within } from './within.js';
import type { Watcher } from './watcher.js';

/** How long the end of a tree waits for commands that were interrupted. */
const ANSWER_LIMIT_MS = 1000;

/** What commands need from their arbiter. */
export interface CommandHost {
  /** In the order of starting. */
  watchers(): readonly Watcher[];
  /** Resolves when the tree runs; rejects with `unavailable` if it does not, or not any more. */
  whenRunning(): Promise<void>;
  /** Says in the tree's state that it is being reloaded, as long as `work` takes. */
  whileReloading(work: () => Promise<void>): Promise<void>;
  /** A new plan for the next processes, if there is a source of plans. */
  readonly replan: (() => Promise<Plan>) | undefined;
}

/**
 * The commands that a running tree takes. Each watcher runs its own one after the other; one that comes while the tree
 * starts waits until it runs, one that comes while it stops is `unavailable`.
 */
export class TreeCommands {
  readonly #reloads = new CommandQueue();
  readonly #running = new Set<Promise<unknown>>();
  /** Reloads that have not begun yet, by watcher; asked again, they are the same wish. */
  readonly #waiting = new Map<string | undefined, Promise<void>>();
  #plan: PlanConfig;

  constructor(
    plan: PlanConfig,
    private readonly host: CommandHost,
  ) {
    this.#plan = plan;
  }

  /** The tree is being stopped: what waits is refused, and so is what comes; what runs is cut short by the stopping. */
  close(error: ServeError): void {
    this.#reloads.close(error);
    for (const watcher of this.host.watchers()) watcher.refuseCommands(error);
  }

  /** Resolves when every command has its answer; bounded, as the making of a new plan cannot be cut short. */
  async answered(): Promise<void> {
    if (this.#running.size === 0) return;
    await within(ANSWER_LIMIT_MS, Promise.allSettled(this.#running));
    // Whoever asked passes the answer on: that takes a turn, or a few, before the tree is called ended.
    await new Promise((resolve) => setImmediate(resolve));
  }

  reload(name?: string): Promise<void> {
    return this.#track(this.#queueReload(name));
  }

  restart(name?: string, workerId?: number): Promise<void> {
    return this.#track(this.#restart(name, workerId));
  }

  setNumProcesses(name: string, count: number): Promise<number> {
    return this.#track(this.#resize(name, () => count));
  }

  changeNumProcesses(name: string, by: number): Promise<number> {
    return this.#track(this.#resize(name, (current) => current + by));
  }

  /** A watcher that cannot have so many stays as it is. */
  changeAll(by: 1 | -1): Promise<void> {
    return this.#track(this.#changeAll(by));
  }

  signal(signal: NodeJS.Signals, name?: string, workerId?: number): number {
    const counts = this.#pick(name).map((watcher) => watcher.signal(signal, workerId));
    return counts.reduce((sum, count) => sum + count, 0);
  }

  #track<T>(command: Promise<T>): Promise<T> {
    this.#running.add(command);
    const done = (): void => void this.#running.delete(command);
    command.then(done, done);
    return command;
  }

  async #queueReload(name: string | undefined): Promise<void> {
    await this.host.whenRunning();
    const watchers = this.#pick(name);
    const waiting = this.#waiting.get(name);
    if (waiting !== undefined) return waiting;
    const mine = this.#reloads.run(async () => {
      this.#waiting.delete(name);
      await this.host.whenRunning();
      await this.host.whileReloading(() => this.#reload(watchers));
    });
    this.#waiting.set(name, mine);
    return mine;
  }

  async #restart(name: string | undefined, workerId: number | undefined): Promise<void> {
    await this.host.whenRunning();
    for (const watcher of this.#pick(name)) await watcher.restart(workerId);
  }

  async #resize(name: string, count: (current: number) => number): Promise<number> {
    await this.host.whenRunning();
    const watcher = this.#find(name);
    return watcher.resize((current) => checkCount(watcher, count(current)));
  }

  async #changeAll(by: 1 | -1): Promise<void> {
    await this.host.whenRunning();
    const change = (watcher: Watcher, current: number): number =>
      refusalOf(watcher, current + by) === undefined ? current + by : current;
    const watchers = this.host.watchers();
    await Promise.all(watchers.map((watcher) => watcher.resize((current) => change(watcher, current))));
  }

  /** Each in its own queue. What was reloaded before a failure keeps its new configuration. */
  async #reload(watchers: readonly Watcher[]): Promise<void> {
    const plan = await this.#replan();
    const reload = (watcher: Watcher): Promise<void> =>
      watcher.reload(plan.watchers.find(({ name }) => name === watcher.name));
    if (plan.reloadTogether) await allOrFirstError(watchers.map(reload));
    else for (const watcher of watchers) await reload(watcher);
    this.#plan = plan;
  }

  async #replan(): Promise<PlanConfig> {
    const { replan } = this.host;
    if (replan === undefined) return this.#plan;
    const next = compilePlan(await replan());
    checkReplan(this.#plan, next);
    return next;
  }

  #pick(name: string | undefined): readonly Watcher[] {
    return name === undefined ? this.host.watchers() : [this.#find(name)];
  }

  #find(name: string): Watcher {
    const watcher = this.host.watchers().find((one) => one.name === name);
    if (watcher !== undefined) return watcher;
    const available =
      this.host
        .watchers()
        .map((one) => one.name)
        .join(', ') || 'none';
    throw new ServeError('not_found', `no watcher is named '${name}'; the tree has: ${available}`);
  }
}

function checkCount(watcher: Watcher, count: number): number {
  const refusal = refusalOf(watcher, count);
  if (refusal === undefined) return count;
  throw new ServeError('invalid_argument', refusal);
}

/** Why a watcher cannot have so many processes. */
function refusalOf({ name, config }: Watcher, count: number): string | undefined {
  if (!Number.isInteger(count) || count < 1 || count > MAX_PROCESSES) {
    return `watcher '${name}' cannot have ${count} processes; expected a whole number from 1 to ${MAX_PROCESSES}`;
  }
  if (config.singleton && count !== 1) return `watcher '${name}' is a singleton: it has one process`;
  if (config.scaling === undefined) return undefined;
  const { min, max } = config.scaling;
  const isWithin = count >= min && count <= max;
  return isWithin
    ? undefined
    : `watcher '${name}' cannot have ${count} processes; its scaling has ${min} to ${max}`;
}

/** Waits for all, also when one fails: nothing goes on behind the back of whoever is told of the failure. */
async function allOrFirstError(promises: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(promises)).find((result) => result.status === 'rejected');
  if (failed !== undefined) throw ServeError.from(failed.reason);
}
