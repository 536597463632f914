import { type Api, type ApiFunction, type ApiOptions, compileApi } from './api.js';
import { invalidService } from './invalid-service.js';
import type { AnyRunner } from './runner.js';
import { checkTagPart } from './tag.js';

const BRAND = Symbol.for('bentots.Service');

/** Options of {@link Service}. */
export interface ServiceOptions {
  /** Shown in the documentation and in metrics. */
  readonly version?: string;
  readonly description?: string;
  /** The runners that its APIs call; their names must differ. */
  readonly runners?: readonly AnyRunner[];
}

/** What a hook on start-up or shutdown is told. */
export interface WorkerContext {
  /** From 1 up; kept when the worker is replaced. */
  readonly workerId: number;
  /** The `state` of every {@link ApiContext} of this worker. */
  readonly state: Record<string, unknown>;
}

/** A hook that runs once a tree of processes, before any worker starts. */
export type DeploymentHook = () => void | Promise<void>;

/** A hook that runs once a worker. */
export type WorkerHook = (context: WorkerContext) => void | Promise<void>;

/**
 * APIs that clients call, and the runners these use. A module exports one:
 *
 * ```ts
 * export const svc = new Service('hello').api('greet', { input: text(), output: text() }, (name) => `hello ${name}`);
 * ```
 *
 * Every rule that is broken throws ServeError `service_invalid` naming the offender.
 */
export class Service {
  readonly name: string;
  readonly version: string | undefined;
  readonly description: string | undefined;
  /** By name. */
  readonly runners: ReadonlyMap<string, AnyRunner>;
  /** @internal Marks services of every copy of this module. */
  readonly [BRAND] = true;
  readonly #apis = new Map<string, Api>();
  readonly #hooks = {
    deployment: new Array<DeploymentHook>(),
    startup: new Array<WorkerHook>(),
    shutdown: new Array<WorkerHook>(),
  };

  constructor(name: string, options: ServiceOptions = {}) {
    this.name = checkTagPart('service name', name);
    this.version = options.version;
    if (options.version !== undefined) this.version = checkTagPart('service version', options.version);
    this.description = options.description;
    this.runners = collectRunners(this.name, options.runners ?? []);
  }

  /** By name, in the order of their declaration. */
  get apis(): ReadonlyMap<string, Api> {
    return this.#apis;
  }

  /** Hooks in the order of their registration. */
  get hooks(): {
    readonly deployment: readonly DeploymentHook[];
    readonly startup: readonly WorkerHook[];
    readonly shutdown: readonly WorkerHook[];
  } {
    return this.#hooks;
  }

  /**
   * Adds an API. The descriptors say what `fn` gets and what it must return.
   *
   * @param name an identifier; `POST /name` unless a route is given.
   */
  api<I, O>(name: string, options: ApiOptions<I, O>, fn: ApiFunction<I, NoInfer<O>>): this {
    const api = compileApi(name, options, fn, this.runners);
    if (this.#apis.has(name))
      throw invalidService(`service '${this.name}': found duplicate API name '${name}'`);
    for (const other of this.#apis.values()) {
      if (other.route === api.route) {
        const both = `APIs '${other.name}' and '${name}'`;
        throw invalidService(`service '${this.name}': ${both} have the same route '${api.route}'`);
      }
    }
    this.#apis.set(name, api);
    return this;
  }

  /** Runs `fn` once for a whole tree of processes, before its workers start. */
  onDeployment(fn: DeploymentHook): this {
    this.#hooks.deployment.push(checkHook('onDeployment', fn));
    return this;
  }

  /** Runs `fn` in each API worker before it is ready; it may fill `state`. */
  onStartup(fn: WorkerHook): this {
    this.#hooks.startup.push(checkHook('onStartup', fn));
    return this;
  }

  /** Runs `fn` in each API worker after its last request. */
  onShutdown(fn: WorkerHook): this {
    this.#hooks.shutdown.push(checkHook('onShutdown', fn));
    return this;
  }
}

/** Whether `value` is a Service, of any copy of this module. */
export function isService(value: unknown): value is Service {
  return typeof value === 'object' && value !== null && BRAND in value;
}

function collectRunners(service: string, runners: readonly AnyRunner[]): ReadonlyMap<string, AnyRunner> {
  const byName = new Map<string, AnyRunner>();
  for (const [index, runner] of runners.entries()) {
    if (typeof runner !== 'object' || runner === null || typeof runner.definition?.name !== 'string') {
      throw invalidService(
        `service '${service}': runners[${index}] is no runner; make it with createRunner()`,
      );
    }
    const { name } = runner.definition;
    if (byName.has(name)) {
      throw invalidService(`service '${service}': found duplicate name '${name}' among its runners`);
    }
    byName.set(name, runner);
  }
  return byName;
}

function checkHook<F>(what: string, fn: F): F {
  if (typeof fn === 'function') return fn;
  throw invalidService(`${what} expects a function, got ${fn === null ? 'null' : typeof fn}`);
}
