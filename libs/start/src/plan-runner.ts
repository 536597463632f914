import { join } from 'node:path';

import type {
  DispatcherWorkerData,
  LogConfig,
  RunnerWorkerData,
  SslConfig,
  WorkerTarget,
} from '@bentots/config';
import { ServeError } from '@bentots/errors';
import type { ServiceDescription } from '@bentots/service';
import type { SocketSpec, WatcherSpec } from '@bentots/supervisor';

import { planThreads, type ThreadFacts } from './plan-threads.js';
import { NODE_ARGS, planDevelopment, PRIORITY, READY_TIMEOUT_MS, toJson } from './plan-watcher.js';

/** One runner as its service describes it. */
export type RunnerDescription = ServiceDescription['runners'][number];

/** The two programs of a runner server. */
export interface RunnerEntries {
  readonly runner: string;
  readonly dispatcher: string;
}

/** What a runner is planned from. */
export interface RunnerPlanFacts {
  readonly runner: RunnerDescription;
  readonly service: ServiceDescription;
  readonly target: WorkerTarget;
  readonly entries: RunnerEntries;
  /** Name of the socket that callers come to. */
  readonly socket: string;
  /** Private directory for the socket between the dispatcher and its workers. */
  readonly runtimeDir: string;
  readonly timeoutMs: number | undefined;
  /** TLS for its callers; absent: plain text. */
  readonly ssl?: SslConfig | undefined;
  readonly graceMs: number;
  readonly log: LogConfig;
  readonly reload: boolean;
  readonly machine: ThreadFacts;
}

/** What one runner adds to a plan, besides the socket of its callers. */
export interface RunnerPlan {
  readonly socket: SocketSpec;
  readonly watchers: readonly WatcherSpec[];
}

/** What the name of the socket between a dispatcher and its workers begins with. */
const WORKERS_SOCKET = 'workers:';

/** `auto` on a large machine would load the model dozens of times; who wants that says the number. */
const MAX_AUTO_WORKERS = 8;

/** What the kernel takes as the path of a unix socket, less its final zero. */
const MAX_SOCKET_PATH_BYTES = 107;

/** One process queues and batches the calls; the workers behind it hold the model, each handed one connection. */
export function planRunner(facts: RunnerPlanFacts): RunnerPlan {
  const path = planSocketPath(facts.runtimeDir, `${facts.runner.name}.workers.sock`);
  const socket: SocketSpec = {
    name: WORKERS_SOCKET + facts.runner.name,
    path,
    mode: 0o600,
    accept: 'balanced',
  };
  return { socket, watchers: [planWorkers(facts, socket.name), planDispatcher(facts, path)] };
}

/** Whether a socket is between processes of the tree, and nobody else's business. */
export function isPrivateSocket(name: string): boolean {
  return name.startsWith(WORKERS_SOCKET);
}

/** The number of workers a runner asks for; `auto` is one for each CPU, at most 8. */
function countRunnerWorkers(runner: Pick<RunnerDescription, 'workers'>, cpus: number): number {
  return runner.workers === 'auto' ? Math.min(cpus, MAX_AUTO_WORKERS) : runner.workers;
}

/** The path of a socket in a private directory. @throws ServeError address_unavailable when the kernel takes none so long */
export function planSocketPath(runtimeDir: string, name: string): string {
  const path = join(runtimeDir, name);
  const bytes = Buffer.byteLength(path);
  if (bytes <= MAX_SOCKET_PATH_BYTES) return path;
  throw new ServeError(
    'address_unavailable',
    `socket path '${path}' has ${bytes} bytes, more than the ${MAX_SOCKET_PATH_BYTES} allowed; set TMPDIR to a shorter path`,
    { details: { path } },
  );
}

function planWorkers(facts: RunnerPlanFacts, socket: string): WatcherSpec {
  const { runner, target, machine, log } = facts;
  const workers = countRunnerWorkers(runner, machine.cpus);
  const data: RunnerWorkerData = { target, runnerName: runner.name, socket, log };
  return {
    ...planProcess(facts),
    name: watcherOf(runner),
    entry: facts.entries.runner,
    numProcesses: workers,
    sockets: [socket],
    env: planThreads(workers, machine),
    ...(runner.perWorkerEnv.length > 0 && { perWorkerEnv: runner.perWorkerEnv }),
    data: toJson(data),
    priority: PRIORITY.runner,
  };
}

function planDispatcher(facts: RunnerPlanFacts, workersPath: string): WatcherSpec {
  const { runner, service, timeoutMs, ssl, log } = facts;
  const data: DispatcherWorkerData<RunnerDescription> = {
    service: { name: service.name, version: service.version },
    runner,
    watcher: watcherOf(runner),
    workersPath,
    socket: facts.socket,
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(ssl && { ssl }),
    log,
  };
  return {
    ...planProcess(facts),
    name: `dispatcher:${runner.name}`,
    entry: facts.entries.dispatcher,
    numProcesses: 1,
    singleton: true,
    sockets: [facts.socket],
    data: toJson(data),
    priority: PRIORITY.dispatcher,
  };
}

function planProcess({ target, graceMs, reload }: RunnerPlanFacts) {
  return {
    nodeArgs: NODE_ARGS,
    cwd: target.workingDir,
    readyTimeoutMs: READY_TIMEOUT_MS,
    graceMs,
    ...planDevelopment(reload),
  };
}

function watcherOf({ name }: RunnerDescription): string {
  return `runner:${name}`;
}
