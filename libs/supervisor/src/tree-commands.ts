import { ServeError } from '@bentots/errors';
import { CommandQueue } from './command-queue.js';
import { MAX_PROCESSES } from './compile-watcher.js';
import { compilePlan, type Plan, type PlanConfig } from './plan.js';
import { checkReplan } from './replan.js';
import type { Watcher } from './watcher.js';

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
  /** Reloads that have not begun yet, by watcher; asked again, they are the same wish. */
  readonly #waiting = new Map<string | undefined, Promise<void>>();
  #plan: PlanConfig;

  constructor(
    plan: PlanConfig,
    private readonly host: CommandHost,
  ) {
    this.#plan = plan;
  }

  async reload(name?: string): Promise<void> {
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

  async restart(name?: string, workerId?: number): Promise<void> {
    await this.host.whenRunning();
    for (const watcher of this.#pick(name)) await watcher.restart(workerId);
  }

  async setNumProcesses(name: string, count: number): Promise<number> {
    await this.host.whenRunning();
    const watcher = this.#find(name);
    return watcher.resize(() => checkCount(watcher, count));
  }

  async changeNumProcesses(name: string, by: number): Promise<number> {
    await this.host.whenRunning();
    const watcher = this.#find(name);
    return watcher.resize((current) => checkCount(watcher, current + by));
  }

  /** A watcher that cannot have so many stays as it is. */
  async changeAll(by: 1 | -1): Promise<void> {
    await this.host.whenRunning();
    const changes = this.host
      .watchers()
      .map((watcher) =>
        watcher.resize((current) =>
          refusalOf(watcher, current + by) === undefined ? current + by : current,
        ),
      );
    await Promise.all(changes);
  }

  signal(signal: NodeJS.Signals, name?: string, workerId?: number): number {
    const counts = this.#pick(name).map((watcher) => watcher.signal(signal, workerId));
    return counts.reduce((sum, count) => sum + count, 0);
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
