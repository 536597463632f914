import { isAbsolute } from 'node:path';
import { ServeError } from '@bentots/errors';
import { compileRecycle, type RecycleConfig, type RecycleOptions } from './recycle.js';
import { compileScaling, type ScalingConfig, type ScalingOptions } from './scaling.js';
import { compileRestartPolicy, type RestartPolicy } from './restart-policy.js';

/** The most workers that a watcher may have. */
export const MAX_PROCESSES = 1024;

/** A value that survives JSON: all that a plan and a worker's `data` may hold. */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };

/**
 * How a socket's connections reach the workers. `shared`: every worker accepts on the inherited descriptor, the kernel
 * spreads. `balanced`: the arbiter accepts and hands each connection to the least loaded ready worker.
 */
export type AcceptMode = 'shared' | 'balanced';

/** A socket that the arbiter binds once, before any worker, and keeps until the tree stops. */
export interface SocketSpec {
  /** What watchers and workers call it. */
  readonly name: string;
  /** Address or host name to bind. @default '127.0.0.1' */
  readonly host?: string;
  /** TCP port; 0 takes a free one, which is kept and reported. @default 0 */
  readonly port?: number;
  /** A unix socket's file, at most 107 bytes; excludes `host` and `port`. */
  readonly path?: string;
  /** Permissions of the unix socket's file. @default 0o600 */
  readonly mode?: number;
  /** Connections the kernel queues while no worker accepts. @default 511 */
  readonly backlog?: number;
  /** @default 'shared' */
  readonly accept?: AcceptMode;
}

/** A number of equal processes that are kept alive. */
export interface WatcherSpec extends RecycleOptions {
  readonly name: string;
  /** Absolute path of the ESM file that each worker runs. */
  readonly entry: string;
  /** Options of node itself, before the entry. */
  readonly nodeArgs?: readonly string[];
  /** Arguments after the entry. */
  readonly args?: readonly string[];
  readonly numProcesses: number;
  /** Names of the sockets that its workers serve. */
  readonly sockets?: readonly string[];
  /** Added to the arbiter's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Added for worker 1, 2, …; the list is used round and round when it is shorter than `numProcesses`. */
  readonly perWorkerEnv?: readonly Readonly<Record<string, string>>[];
  readonly cwd?: string;
  /** Handed to every worker as `worker.data`. */
  readonly data?: JsonValue;
  /** Watchers start in ascending and stop in descending order; equal ones together. @default 0 */
  readonly priority?: number;
  /** Time from the spawn to `worker.ready()`. @default 60000 */
  readonly readyTimeoutMs?: number;
  /** Time from the request to stop until the process group is killed. @default 30000 */
  readonly graceMs?: number;
  /** A worker whose event loop is blocked for longer is killed and replaced; 0 turns this off. @default 60000 */
  readonly heartbeatLimitMs?: number;
  /** At most one process, whatever is asked. @default false */
  readonly singleton?: boolean;
  /**
   * Keeps beside each worker one more process that has loaded the entry (and done its `warmUp`) and waits; whoever has to
   * be started next is that one, and ready at once. For development: it costs a process. @default false
   */
  readonly spare?: boolean;
  readonly restart?: Partial<RestartPolicy>;
  /** Has the number of workers follow the load. @default off */
  readonly scaling?: ScalingOptions;
}

/** A unix socket, for the owner only, by which a running tree is asked and steered; see `docs/control.md`. */
export interface ControlSpec {
  /** Its file, absolute; `$(pid)` stands for the arbiter's process id. The folder is made if it is not there. */
  readonly path: string;
  /** When it cannot be bound the tree starts without it, and warns. @default false */
  readonly optional?: boolean;
}

/** Everything that an arbiter runs: plain JSON, made by pure functions and compared by tests. */
export interface Plan {
  readonly name: string;
  readonly sockets: readonly SocketSpec[];
  readonly watchers: readonly WatcherSpec[];
  /** @default none */
  readonly control?: ControlSpec;
  /** Whether a reload replaces the workers of all watchers at once, each of them one by one. @default false */
  readonly reloadTogether?: boolean;
}

/** A {@link SocketSpec} with every default filled in. */
export interface SocketConfig {
  readonly name: string;
  readonly target:
    { readonly host: string; readonly port: number } | { readonly path: string; readonly mode: number };
  readonly backlog: number;
  readonly accept: AcceptMode;
}

/** A {@link WatcherSpec} with every default filled in. */
export interface WatcherConfig extends Required<
  Omit<WatcherSpec, 'restart' | 'scaling' | 'cwd' | keyof RecycleOptions>
> {
  readonly cwd: string | undefined;
  readonly restart: RestartPolicy;
  readonly recycle: RecycleConfig;
  readonly scaling: ScalingConfig | undefined;
}

/** A {@link ControlSpec} with every default filled in. */
export type ControlConfig = Required<ControlSpec>;

/** A checked plan. */
export interface PlanConfig {
  readonly name: string;
  readonly sockets: readonly SocketConfig[];
  readonly watchers: readonly WatcherConfig[];
  readonly control: ControlConfig | undefined;
  readonly reloadTogether: boolean;
}

/** Checks a plan and fills in defaults. Throws `invalid_option` that names the watcher or socket and the field. */
export function compilePlan(plan: Plan): PlanConfig {
  checkUnique('socket', plan.sockets);
  checkUnique('watcher', plan.watchers);
  const sockets = plan.sockets.map(compileSocket);
  const known = sockets.map((socket) => socket.name);
  return {
    name: plan.name,
    sockets,
    watchers: plan.watchers.map((spec) => compileWatcher(spec, known)),
    control: plan.control && compileControl(plan.control),
    reloadTogether: plan.reloadTogether ?? false,
  };
}

function compileControl({ path, optional = false }: ControlSpec): ControlConfig {
  if (isAbsolute(path)) return { path, optional };
  throw new ServeError('invalid_option', `control: path '${path}' must be an absolute path`);
}

function compileSocket(spec: SocketSpec): SocketConfig {
  const where = `socket '${spec.name}'`;
  if (spec.path !== undefined && (spec.host !== undefined || spec.port !== undefined)) {
    throw new ServeError('invalid_option', `${where} has a path and a host or port; give one of them`);
  }
  const target =
    spec.path === undefined
      ? { host: spec.host ?? '127.0.0.1', port: integer(spec.port ?? 0, 0, 65_535, `${where}: port`) }
      : { path: spec.path, mode: spec.mode ?? 0o600 };
  const backlog = integer(spec.backlog ?? 511, 1, 2 ** 31 - 1, `${where}: backlog`);
  return { name: spec.name, target, backlog, accept: spec.accept ?? 'shared' };
}

function compileWatcher(spec: WatcherSpec, knownSockets: readonly string[]): WatcherConfig {
  const where = `watcher '${spec.name}'`;
  const numProcesses = integer(spec.numProcesses, 1, MAX_PROCESSES, `${where}: numProcesses`);
  if (spec.singleton === true && numProcesses !== 1) {
    throw new ServeError(
      'invalid_option',
      `${where} is a singleton: numProcesses is ${numProcesses}, it must be 1`,
    );
  }
  if (!isAbsolute(spec.entry)) {
    throw new ServeError('invalid_option', `${where}: entry '${spec.entry}' must be an absolute path`);
  }
  const unknown = (spec.sockets ?? []).find((name) => !knownSockets.includes(name));
  if (unknown !== undefined) {
    const available = knownSockets.join(', ') || 'none';
    throw new ServeError(
      'invalid_option',
      `${where}: no socket is named '${unknown}'; the plan has: ${available}`,
    );
  }
  const limitMs = (value: number, field: string) => integer(value, 0, 2 ** 31 - 1, `${where}: ${field}`);
  return {
    name: spec.name,
    entry: spec.entry,
    nodeArgs: spec.nodeArgs ?? [],
    args: spec.args ?? [],
    numProcesses,
    sockets: spec.sockets ?? [],
    env: spec.env ?? {},
    perWorkerEnv: spec.perWorkerEnv ?? [],
    cwd: spec.cwd,
    data: spec.data ?? null,
    priority: spec.priority ?? 0,
    readyTimeoutMs: limitMs(spec.readyTimeoutMs ?? 60_000, 'readyTimeoutMs'),
    graceMs: limitMs(spec.graceMs ?? 30_000, 'graceMs'),
    heartbeatLimitMs: limitMs(spec.heartbeatLimitMs ?? 60_000, 'heartbeatLimitMs'),
    singleton: spec.singleton ?? false,
    spare: spec.spare ?? false,
    recycle: compileRecycle(spec, where),
    scaling:
      spec.scaling &&
      compileScaling(
        spec.scaling,
        { numProcesses, singleton: spec.singleton ?? false, maxProcesses: MAX_PROCESSES },
        where,
      ),
    restart: compileRestartPolicy(spec.restart ?? {}, where),
  };
}

function checkUnique(kind: string, specs: readonly { readonly name: string }[]): void {
  const twice = specs.find((spec, index) => specs.findIndex((other) => other.name === spec.name) !== index);
  if (twice !== undefined) {
    throw new ServeError('invalid_option', `two ${kind}s are named '${twice.name}'; names must differ`);
  }
}

function integer(value: number, min: number, max: number, what: string): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new ServeError(
    'invalid_option',
    `${what} is ${value}; expected a whole number from ${min} to ${max}`,
  );
}
