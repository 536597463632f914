import type { LogConfig, RunnerWorkerData, WorkerTarget } from '@bentots/config';
import type { ServiceDescription } from '@bentots/service';
import type { WatcherSpec } from '@bentots/supervisor';

import { NODE_ARGS, planDevelopment, PRIORITY, READY_TIMEOUT_MS, toJson } from './plan-watcher.js';
import { planThreads, type ThreadFacts } from './plan-threads.js';

/** One runner as its service describes it. */
export type RunnerDescription = ServiceDescription['runners'][number];

/** `auto` on a large machine would load the model dozens of times; who wants that says the number. */
const MAX_AUTO_WORKERS = 8;

/** What the watcher of a runner is made of. */
export interface RunnerWatcherFacts {
  readonly runner: RunnerDescription;
  readonly target: WorkerTarget;
  readonly entry: string;
  /** Name of the socket. */
  readonly socket: string;
  readonly timeoutMs: number | undefined;
  readonly graceMs: number;
  readonly log: LogConfig;
  readonly reload: boolean;
  readonly machine: ThreadFacts;
}

/** The watcher that keeps the workers of one runner alive. */
export function planRunnerWatcher(facts: RunnerWatcherFacts): WatcherSpec {
  const { runner, target, machine } = facts;
  const workers = countRunnerWorkers(runner, machine.cpus);
  const data: RunnerWorkerData = {
    target,
    runnerName: runner.name,
    workers,
    socket: facts.socket,
    ...(facts.timeoutMs !== undefined && { timeoutMs: facts.timeoutMs }),
    graceMs: facts.graceMs,
    log: facts.log,
  };
  return {
    name: `runner:${runner.name}`,
    entry: facts.entry,
    nodeArgs: NODE_ARGS,
    numProcesses: workers,
    sockets: [facts.socket],
    env: planThreads(workers, machine),
    ...(runner.perWorkerEnv.length > 0 && { perWorkerEnv: runner.perWorkerEnv }),
    cwd: target.workingDir,
    data: toJson(data),
    priority: PRIORITY.runner,
    readyTimeoutMs: READY_TIMEOUT_MS,
    graceMs: facts.graceMs,
    ...planDevelopment(facts.reload),
  };
}

/** The number of workers a runner asks for; `auto` is one for each CPU, at most 8. */
export function countRunnerWorkers(runner: Pick<RunnerDescription, 'workers'>, cpus: number): number {
  return runner.workers === 'auto' ? Math.min(cpus, MAX_AUTO_WORKERS) : runner.workers;
}
