import { ServeError } from '@bentots/errors';
import type { Plan } from '@bentots/supervisor';

import type { Prepare, Prepared } from './prepared.js';

/** What the watchers of runners are called: `runner:NAME`. */
const RUNNER = /^runner:(.+)$/;

/**
 * Makes the plan of a running server anew: configuration and certificates are read again, the service is described
 * again in a short-lived child. What it throws leaves everything as it is.
 */
export class Replanner {
  #current: Prepared;
  #next: Plan | undefined;

  constructor(
    private readonly prepare: Prepare,
    first: Prepared,
    private readonly signal: AbortSignal,
  ) {
    this.#current = first;
  }

  /** Says what the service was when it was last planned. */
  get fingerprint(): string {
    return this.#current.fingerprint;
  }

  /** For the next {@link plan}: only code has changed, the plan stays. */
  keepPlan(): void {
    this.#next = this.#current.plan;
  }

  /** Prepares, and says whether the plan is another one than before: then the next {@link plan} is that one. */
  async look(): Promise<boolean> {
    const before = JSON.stringify(this.#current.plan);
    const plan = await this.#prepareAgain();
    if (JSON.stringify(plan) === before) return false;
    this.#next = plan;
    return true;
  }

  /** The plan for the next processes. */
  async plan(): Promise<Plan> {
    const next = this.#next ?? (await this.#prepareAgain());
    this.#next = undefined;
    return next;
  }

  /** @throws ServeError of a start, or not_supported when runners were added or removed. */
  async #prepareAgain(): Promise<Plan> {
    const next = await this.prepare({ deploy: false, signal: this.signal });
    refuseOtherRunners(this.#current.plan, next.plan);
    // A tree is known by its name (its control socket, say), also when the service in it gets another one.
    const plan = { ...next.plan, name: this.#current.plan.name };
    this.#current = { ...next, plan };
    return plan;
  }
}

/** Each runner has a socket and a group of processes, which a tree gets when it starts. */
function refuseOtherRunners(before: Plan, after: Plan): void {
  const [had, has] = [runnersOf(before), runnersOf(after)];
  const added = has.filter((name) => !had.includes(name));
  const removed = had.filter((name) => !has.includes(name));
  if (added.length === 0 && removed.length === 0) return;
  const say = (names: readonly string[], what: string): string[] =>
    names.length === 0 ? [] : [`'${names.join("', '")}' ${what}`];
  const changes = [...say(added, 'is new'), ...say(removed, 'is gone')].join(', ');
  throw new ServeError(
    'not_supported',
    `the service has other runners than when it was started: ${changes}; restart the server to add or remove runners`,
    { details: { added, removed } },
  );
}

function runnersOf(plan: Plan): readonly string[] {
  return plan.watchers.flatMap(({ name }) => RUNNER.exec(name)?.[1] ?? []);
}
