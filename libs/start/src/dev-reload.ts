import { basename, relative } from 'node:path';

import { ServeError } from '@bentots/errors';
import type { Logger } from '@bentots/telemetry';

import type { Change } from './change-batch.js';

/** What a {@link DevReload} acts on. */
export interface DevReloadHost {
  /** The service's working directory: files are named from here. */
  readonly dir: string;
  readonly log: Logger;
  /** Replaces the workers, with the plan as it is. */
  replaceWorkers(): Promise<void>;
  /** Makes the plan anew; replaces the workers if it is another one, and says whether it was. */
  replan(): Promise<boolean>;
  /** Whether the workers have another service than the plan was made for: other runners, other numbers of workers. */
  isPlanOld(): boolean;
}

/** Files that say what the service is, rather than being a part of it. */
const PLAN_FILES: ReadonlySet<string> = new Set(['bentofile.yaml', 'bentofile.yml']);

/** How a worker fails that was planned for other runners. */
const OLD_PLAN_CODES: ReadonlySet<string> = new Set(['runner_map_invalid', 'runner_not_found']);

/**
 * Answers changes of a service's files by new workers, one change after the other: what changes meanwhile is the next.
 * Workers that cannot be started with the changed files leave the old ones in their place.
 *
 * Only code changes mostly, and the workers themselves find out whether it is good: no need to describe the service
 * first, which is what takes time.
 */
export class DevReload {
  #waiting: Change | undefined;
  #isBusy = false;
  #isClosed = false;

  constructor(private readonly host: DevReloadHost) {}

  onChange(change: Change): void {
    this.#waiting = merge(this.#waiting, change);
    if (!this.#isBusy) void this.#work();
  }

  /** Nothing is replaced any more. */
  close(): void {
    this.#isClosed = true;
  }

  async #work(): Promise<void> {
    this.#isBusy = true;
    for (let change = this.#take(); change !== undefined; change = this.#take()) await this.#answer(change);
    this.#isBusy = false;
  }

  #take(): Change | undefined {
    const change = this.#isClosed ? undefined : this.#waiting;
    this.#waiting = undefined;
    return change;
  }

  async #answer({ paths, noticedAt }: Change): Promise<void> {
    const { log } = this.host;
    const what = this.#name(paths);
    const tell = (): void =>
      log.info(`changed: ${what} → workers replaced in ${Math.round(performance.now() - noticedAt)} ms`);
    try {
      if (paths.some((path) => PLAN_FILES.has(basename(path)))) {
        if (!(await this.host.replan())) await this.host.replaceWorkers();
      } else {
        await this.#replace();
      }
      tell();
    } catch (error) {
      if (this.#isClosed) return;
      log.error(`changed: ${what} → the last good version keeps serving: ${ServeError.from(error).message}`);
      return;
    }
    try {
      if (this.host.isPlanOld() && (await this.host.replan())) tell();
    } catch (error) {
      if (!this.#isClosed) log.warn(`changed: ${what} → ${ServeError.from(error).message}`);
    }
  }

  async #replace(): Promise<void> {
    try {
      await this.host.replaceWorkers();
    } catch (error) {
      if (!OLD_PLAN_CODES.has(ServeError.from(error).code)) throw error;
      if (!(await this.host.replan())) throw error;
    }
  }

  #name(paths: readonly string[]): string {
    const [first = '', ...rest] = paths.map((path) => relative(this.host.dir, path));
    return rest.length === 0 ? first : `${first} and ${rest.length} more`;
  }
}

function merge(before: Change | undefined, change: Change): Change {
  if (before === undefined) return change;
  return { paths: [...new Set([...before.paths, ...change.paths])], noticedAt: before.noticedAt };
}
