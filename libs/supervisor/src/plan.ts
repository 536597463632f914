import { isAbsolute } from 'node:path';
import { ServeError } from '@bentots/errors';
import { checkInteger } from './check-integer.js';
import { compileSocket } from './compile-socket.js';
import { compileWatcher } from './compile-watcher.js';
import { inheritedEnvironment } from './process/inherited-environment.js';
import type { RecycleConfig, RecycleOptions } from './recycle.js';
import type { RestartPolicy } from './restart-policy.js';
import type { ScalingConfig, ScalingOptions } from './scaling.js';

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
  /** Owner of the unix socket's file; needs the right to give files away. @default the arbiter's own */
  readonly uid?: number;
  /** Group of the unix socket's file. @default the arbiter's own */
  readonly gid?: number;
  /** Connections the kernel queues while no worker accepts. @default 511 */
  readonly backlog?: number;
  /** @default 'shared' */
  readonly accept?: AcceptMode;
  /**
   * Name among the descriptors that the arbiter was given (`ArbiterOptions.listenFds`). If it is there, that listening
   * socket is taken instead of binding one; it stays open, and its file in place, for whoever gave it.
   */
  readonly inherit?: string;
}

/**
 * When a worker counts as ready. `ipc`: it says `worker.ready()`; only an entry can. `fd`: it writes a newline to the
 * descriptor that `$(notify.fd)` and the variable `NOTIFY_FD` name. `none`: as soon as it runs.
 */
export type Readiness = 'ipc' | 'fd' | 'none';

/**
 * Where standard output and error go. `inherit`: where the arbiter's go. `prefix`: there too, each line after
 * `watcher.1 | `. A file: both are appended to it; when it would get larger than `maxBytes` it is renamed to `file.1`,
 * that to `file.2` and so on, and at most `maxFiles` of those are kept.
 */
export type OutputSpec =
  | 'inherit'
  | 'prefix'
  | {
      /** Absolute path; placeholders as in `args`. Workers whose paths are equal share the file, line by line. */
      readonly file: string;
      /** @default 10485760 (10 MiB) */
      readonly maxBytes?: number;
      /** @default 5 */
      readonly maxFiles?: number;
    };

/**
 * A number of equal processes that are kept alive: of an `entry` or of a `command`.
 *
 * `command`, `args`, the values of `env` and `perWorkerEnv` and an output file may hold placeholders: `$(worker.id)`,
 * `$(worker.generation)`, `$(socket.NAME)` (descriptor of a shared socket), `$(notify.fd)`, `$(env.NAME)` (a variable of
 * the worker; within `env` itself, of the arbiter); `$$(` is the text `$(`.
 */
export interface WatcherSpec extends RecycleOptions {
  readonly name: string;
  /** Absolute path of the ESM file that each worker runs; it calls `attach()`. Excludes `command`. */
  readonly entry?: string;
  /**
   * Any other program: a path, or a name that is looked up in the worker's PATH. It finds its sockets as
   * sd_listen_fds(3) says (descriptors from 3, `LISTEN_FDS`, `LISTEN_FDNAMES`, `LISTEN_PID`), or by `$(socket.NAME)`;
   * they do not block (O_NONBLOCK) unless it changes that.
   */
  readonly command?: string;
  /** Options of node itself, before the entry. */
  readonly nodeArgs?: readonly string[];
  /** Arguments after the entry or command. */
  readonly args?: readonly string[];
  /** @default 'ipc' for an entry, which has no other; 'none' for a command */
  readonly readiness?: Readiness;
  readonly numProcesses: number;
  /** Names of the sockets that its workers serve. */
  readonly sockets?: readonly string[];
  /** Added to the arbiter's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Added for worker 1, 2, …; the list is used round and round when it is shorter than `numProcesses`. */
  readonly perWorkerEnv?: readonly Readonly<Record<string, string>>[];
  readonly cwd?: string;
  /** User that the worker runs as; needs an arbiter of root. @default the arbiter's own */
  readonly uid?: number;
  /** Group that the worker runs as. @default the arbiter's own */
  readonly gid?: number;
  /** Permissions that files of the worker do not get, 0 to 0o777. @default the arbiter's own */
  readonly umask?: number;
  /**
   * Asks a worker to stop. An entry gets it beside the message that makes it drain, for code of its own.
   * @default 'SIGTERM' for a command, none for an entry
   */
  readonly stopSignal?: NodeJS.Signals;
  /** @default 'inherit' */
  readonly output?: OutputSpec;
  /** Handed to every worker as `worker.data`. */
  readonly data?: JsonValue;
  /** Watchers start in ascending and stop in descending order; equal ones together. @default 0 */
  readonly priority?: number;
  /** Time from the spawn to `worker.ready()`. @default 60000 */
  readonly readyTimeoutMs?: number;
  /** Time from the request to stop until the process group is killed. @default 30000 */
  readonly graceMs?: number;
  /**
   * A worker whose event loop is blocked for longer is killed and replaced; 0 turns this off. A command has no
   * heartbeat. @default 60000
   */
  readonly heartbeatLimitMs?: number;
  /** At most one process, whatever is asked. @default false */
  readonly singleton?: boolean;
  /**
   * Keeps beside each worker two more processes that have loaded the entry (and done its `warmUp`) and wait; whoever has to
   * be started next is one of them, and ready at once. For development: it costs processes. @default false
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
  /** Time before a stop in which readiness says no and everything is still served, for load balancers. @default 0 */
  readonly lameDuckMs?: number;
  /**
   * Whether somebody waits for every stop and reload, as in development: idle connections are closed after half a second
   * though a request may just be coming on one of them, and there is no lame-duck time. @default false
   */
  readonly hurry?: boolean;
}

/** A {@link SocketSpec} with every default filled in. */
export interface SocketConfig {
  readonly name: string;
  readonly target:
    | { readonly host: string; readonly port: number }
    | {
        readonly path: string;
        readonly mode: number;
        readonly uid: number | undefined;
        readonly gid: number | undefined;
      };
  readonly backlog: number;
  readonly accept: AcceptMode;
  readonly inherit: string | undefined;
  /** Commands accept on it. They may make it blocking, so nobody with an event loop may: neither entries nor we. */
  readonly isForCommands: boolean;
}

/** What a worker runs. */
export type ProgramConfig =
  | { readonly kind: 'node'; readonly entry: string; readonly nodeArgs: readonly string[] }
  | { readonly kind: 'command'; readonly command: string; readonly readiness: Exclude<Readiness, 'ipc'> };

/** An {@link OutputSpec} with every default filled in. */
export type OutputConfig =
  'inherit' | 'prefix' | { readonly file: string; readonly maxBytes: number; readonly maxFiles: number };

type Unset = 'cwd' | 'uid' | 'gid' | 'umask' | 'stopSignal';
type Compiled =
  'entry' | 'command' | 'nodeArgs' | 'readiness' | 'restart' | 'output' | 'scaling' | keyof RecycleOptions;

/** A {@link WatcherSpec} with every default filled in. */
export interface WatcherConfig extends Required<Omit<WatcherSpec, Unset | Compiled>> {
  readonly program: ProgramConfig;
  readonly cwd: string | undefined;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  readonly umask: number | undefined;
  readonly stopSignal: NodeJS.Signals | undefined;
  readonly output: OutputConfig;
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
  readonly lameDuckMs: number;
  readonly hurry: boolean;
}

/**
 * Checks a plan and fills in defaults. Throws `invalid_option` that names the watcher or socket and the field.
 * `environment` is what `$(env.NAME)` finds besides the plan's own variables.
 */
export function compilePlan(plan: Plan, environment = inheritedEnvironment()): PlanConfig {
  checkUnique('socket', plan.sockets);
  checkUnique('watcher', plan.watchers);
  const sockets = plan.sockets.map((spec) => compileSocket(spec, plan.watchers));
  const watchers = plan.watchers.map((spec) => compileWatcher(spec, sockets, environment));
  return {
    name: plan.name,
    sockets,
    watchers,
    lameDuckMs: checkInteger(plan.lameDuckMs ?? 0, 0, 2 ** 31 - 1, 'lameDuckMs'),
    hurry: plan.hurry ?? false,
    control: plan.control && compileControl(plan.control),
    reloadTogether: plan.reloadTogether ?? false,
  };
}

function compileControl({ path, optional = false }: ControlSpec): ControlConfig {
  if (isAbsolute(path)) return { path, optional };
  throw new ServeError('invalid_option', `control: path '${path}' must be an absolute path`);
}

function checkUnique(kind: string, specs: readonly { readonly name: string }[]): void {
  const twice = specs.find((spec, index) => specs.findIndex((other) => other.name === spec.name) !== index);
  if (twice !== undefined) {
    throw new ServeError('invalid_option', `two ${kind}s are named '${twice.name}'; names must differ`);
  }
}
