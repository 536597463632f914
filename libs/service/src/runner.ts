import { ServeError } from '@bentots/errors';
import { checkPositive, invalidService } from './invalid-service.js';
import { compileMethods, type MethodOverrides, type RunnerMethodSpec } from './compile-methods.js';
import { compileWorkers, type RunnerResources } from './compile-workers.js';
import type { CheckMethods, MethodNames, RunnableClass } from './runnable.js';
import type { RunnerHandle } from './runner-handle.js';
import { BoundMethod, type RunnerMethod } from './runner-method.js';
import { checkTagPart } from './tag.js';

/** Options of {@link createRunner}. */
export type RunnerOptions<C extends RunnableClass> = RunnerSettings<C> & RunnableArgs<C>;

/** What a runner may be told besides its constructor's arguments. */
export interface RunnerSettings<C extends RunnableClass> {
  /** Unique in the service, and the name in runner maps: `classifier`. */
  readonly name: string;
  /** Worker processes that hold the model, or `auto` for one per CPU. @default 1 */
  readonly workers?: number | 'auto';
  /** CPUs to use, as `2` or `500m`: another way to say how many workers; not together with `workers`. */
  readonly resources?: RunnerResources;
  /** Environment of each worker in turn; its length is the number of workers. */
  readonly perWorkerEnv?: readonly Readonly<Record<string, string>>[];
  /** Changes of method settings for this runner only. */
  readonly methods?: { readonly [K in MethodNames<C>]?: MethodOverrides };
  /** Run inside each API worker instead of processes of its own. @default false */
  readonly embedded?: boolean;
  /** Most time for one call, in milliseconds. @default the request's own time */
  readonly timeoutMs?: number;
}

/** The constructor's arguments; they may be left out only when all are optional. */
type RunnableArgs<C extends RunnableClass> =
  [] extends ConstructorParameters<C>
    ? { readonly args?: ConstructorParameters<C> }
    : { readonly args: ConstructorParameters<C> };

/** A runnable and how it is to run: facts for the project's servers. */
export interface RunnerFacts {
  readonly name: string;
  readonly embedded: boolean;
  readonly runnable: RunnableClass;
  /** Arguments of the runnable's constructor. */
  readonly args: readonly unknown[];
  readonly workers: number | 'auto';
  readonly perWorkerEnv: readonly Readonly<Record<string, string>>[];
  /** By name, overrides applied. */
  readonly methods: ReadonlyMap<string, RunnerMethodSpec>;
  readonly timeoutMs?: number | undefined;
  /** Connects the runner in this process; calls from then on go to `handle`. */
  bind(handle: RunnerHandle): void;
  /** The bound handle. @throws ServeError `unavailable` when there is none. */
  handle(): RunnerHandle;
}

/** The part of a runner that is no method of its runnable; one reserved name, so that method names do not clash. */
export interface RunnerDefinition {
  readonly definition: RunnerFacts;
}

/** A runner of any runnable. */
export type AnyRunner = RunnerDefinition;

/** A handle to a model in its own processes: `await classifier.classify.run(tensor)`. */
export type Runner<C extends RunnableClass> = RunnerDefinition & {
  readonly [K in MethodNames<C>]: RunnerMethod<InstanceType<C>[K & keyof InstanceType<C>]>;
};

/**
 * Makes a runner of a runnable class: one property for each of its `methods`, typed after the class.
 *
 * @throws ServeError `service_invalid` naming the runner and what is wrong.
 */
export function createRunner<C extends RunnableClass>(
  runnable: C & CheckMethods<C>,
  options: RunnerOptions<C>,
): Runner<C> {
  const facts = new BoundRunner(runnable, options);
  const methods = [...facts.methods].map(([name, spec]): [string, BoundMethod] => [
    name,
    new BoundMethod(facts, name, spec.idempotent),
  ]);
  // The properties are as `methods` says, which compileMethods has just checked against the class.
  return Object.freeze({ ...Object.fromEntries(methods), definition: facts }) as unknown as Runner<C>;
}

class BoundRunner implements RunnerFacts {
  readonly name: string;
  readonly embedded: boolean;
  readonly runnable: RunnableClass;
  readonly args: readonly unknown[];
  readonly workers: number | 'auto';
  readonly perWorkerEnv: readonly Readonly<Record<string, string>>[];
  readonly methods: ReadonlyMap<string, RunnerMethodSpec>;
  readonly timeoutMs: number | undefined;
  #handle: RunnerHandle | undefined;

  constructor(
    runnable: RunnableClass,
    options: RunnerSettings<RunnableClass> & { readonly args?: readonly unknown[] },
  ) {
    if (typeof runnable !== 'function') {
      throw invalidService(`createRunner expects a runnable class first, got ${typeof runnable}`);
    }
    // Plain JavaScript may leave the options out.
    this.name = checkTagPart('runner name', options?.name);
    const where = `runner '${this.name}'`;
    this.runnable = runnable;
    this.args = options.args ?? [];
    this.embedded = options.embedded ?? false;
    this.methods = compileMethods(where, runnable, options.methods ?? {});
    this.perWorkerEnv = options.perWorkerEnv ?? [];
    this.workers = compileWorkers(where, options);
    this.timeoutMs = options.timeoutMs;
    if (options.timeoutMs !== undefined) checkPositive(`${where}: timeoutMs`, options.timeoutMs);
  }

  bind(handle: RunnerHandle): void {
    this.#handle = handle;
  }

  handle(): RunnerHandle {
    if (this.#handle !== undefined) return this.#handle;
    throw new ServeError('unavailable', `runner '${this.name}' is not connected in this process`, {
      details: { runner: this.name },
    });
  }
}
