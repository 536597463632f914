import type { RunnerServerConfig, WorkerTarget } from '@bentots/config';
import { ServeError } from '@bentots/errors';
import type { ServiceDescription } from '@bentots/service';
import type { Plan } from '@bentots/supervisor';

import { planLife } from './plan-life.js';
import { planRunner, type RunnerDescription, type RunnerEntries } from './plan-runner.js';
import type { ThreadFacts } from './plan-threads.js';

/** Name of the socket in the plan. */
export const RUNNER_SOCKET = 'runner';

/** What {@link planRunnerServer} decides from. */
export interface RunnerServerFacts {
  readonly config: RunnerServerConfig;
  readonly target: WorkerTarget;
  readonly service: ServiceDescription;
  readonly entries: RunnerEntries;
  /** Private directory for the socket between the dispatcher and its workers. */
  readonly runtimeDir: string;
  readonly machine: ThreadFacts;
}

/** One socket, and the processes of one runner behind it. @throws ServeError runner_not_found naming the available ones */
export function planRunnerServer(facts: RunnerServerFacts): Plan {
  const { config, target, service, entries, runtimeDir, machine } = facts;
  const runner = pickRunner(facts.service, config.runnerName);
  const { timeoutMs, ssl, graceMs, log, reload } = config;
  const planned = planRunner({
    runner,
    service,
    target,
    entries,
    socket: RUNNER_SOCKET,
    runtimeDir,
    timeoutMs,
    ssl,
    graceMs,
    log,
    reload,
    machine,
  });
  return planLife(config, {
    name: `runner-server:${runner.name}`,
    sockets: [
      {
        name: RUNNER_SOCKET,
        inherit: RUNNER_SOCKET,
        host: config.host,
        port: config.port ?? 0,
        backlog: config.backlog,
        accept: 'balanced',
      },
      planned.socket,
    ],
    watchers: planned.watchers,
  });
}

function pickRunner(service: ServiceDescription, name: string): RunnerDescription {
  const available = service.runners.filter((runner) => !runner.embedded);
  const runner = available.find((candidate) => candidate.name === name);
  if (runner !== undefined) return runner;
  const names = available.map((candidate) => candidate.name);
  const isEmbedded = service.runners.some((candidate) => candidate.name === name);
  const problem = isEmbedded
    ? `runner '${name}' of service '${service.name}' is embedded: it runs inside the API servers`
    : `service '${service.name}' has no runner '${name}'`;
  const rest = names.length === 0 ? 'it has no runner to start' : `available: ${names.join(', ')}`;
  throw new ServeError('runner_not_found', `${problem}; ${rest}`, {
    details: { runner: name, available: names },
  });
}
