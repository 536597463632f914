import type { ServeConfig, WorkerTarget } from '@bentots/config';
import type { RunnerMap } from '@bentots/runner-map';
import type { ServiceDescription } from '@bentots/service';
import type { Plan, SocketSpec } from '@bentots/supervisor';

import { planGrpcEdge, planHttpEdge } from './plan-edge.js';
import { planLife } from './plan-life.js';
import { planRunner, planSocketPath, type RunnerDescription, type RunnerEntries } from './plan-runner.js';
import type { ThreadFacts } from './plan-threads.js';

/** What {@link planServe} decides from. */
export interface ServeFacts {
  readonly config: ServeConfig;
  readonly target: WorkerTarget;
  readonly service: ServiceDescription;
  readonly entries: RunnerEntries & { readonly http: string; readonly grpc: string };
  /** Private directory for the runners' sockets. */
  readonly runtimeDir: string;
  readonly machine: ThreadFacts;
}

/** Every runner that is not embedded on a unix socket of its own, and the edges: one tree. */
export function planServe(facts: ServeFacts): Plan {
  const { config, target, service, entries, machine } = facts;
  const runners = service.runners.filter((runner) => !runner.embedded);
  const sockets = runners.map((runner) => planRunnerSocket(runner, facts));
  const runnerMap: RunnerMap = new Map(
    runners.map((runner) => [runner.name, [{ kind: 'unix', path: socketPath(facts.runtimeDir, runner) }]]),
  );
  const { graceMs, log, reload } = config.http;
  const planned = runners.map((runner) =>
    planRunner({
      runner,
      service,
      target,
      entries,
      socket: socketName(runner),
      runtimeDir: facts.runtimeDir,
      timeoutMs: undefined,
      graceMs,
      log,
      reload,
      machine,
    }),
  );
  const http = planHttpEdge({ config: config.http, target, entry: entries.http, runnerMap });
  const grpc = config.grpc && planGrpcEdge({ config: config.grpc, target, entry: entries.grpc, runnerMap });
  return planLife(config.http, {
    name: `serve:${service.name}`,
    sockets: [...sockets, ...http.sockets, ...(grpc?.sockets ?? []), ...planned.map(({ socket }) => socket)],
    watchers: [...planned.flatMap(({ watchers }) => watchers), ...http.watchers, ...(grpc?.watchers ?? [])],
    // A model that takes long to load does not keep the edges from answering with the new code.
    ...(reload && { reloadTogether: true }),
  });
}

function planRunnerSocket(runner: RunnerDescription, { config, runtimeDir }: ServeFacts): SocketSpec {
  const path = socketPath(runtimeDir, runner);
  return { name: socketName(runner), path, mode: 0o600, backlog: config.http.backlog, accept: 'balanced' };
}

function socketName(runner: RunnerDescription): string {
  return `runner:${runner.name}`;
}

function socketPath(runtimeDir: string, runner: RunnerDescription): string {
  return planSocketPath(runtimeDir, `${runner.name}.sock`);
}
