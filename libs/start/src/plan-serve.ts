import { join } from 'node:path';

import type { ServeConfig, WorkerTarget } from '@bentots/config';
import { ServeError } from '@bentots/errors';
import type { RunnerMap } from '@bentots/runner-map';
import type { ServiceDescription } from '@bentots/service';
import type { Plan, SocketSpec } from '@bentots/supervisor';

import { planGrpcEdge, planHttpEdge } from './plan-edge.js';
import { planLife } from './plan-life.js';
import { planRunnerWatcher, type RunnerDescription } from './plan-runner-watcher.js';
import type { ThreadFacts } from './plan-threads.js';

/** What {@link planServe} decides from. */
export interface ServeFacts {
  readonly config: ServeConfig;
  readonly target: WorkerTarget;
  readonly service: ServiceDescription;
  readonly entries: { readonly runner: string; readonly http: string; readonly grpc: string };
  /** Private directory for the runners' sockets. */
  readonly runtimeDir: string;
  readonly machine: ThreadFacts;
}

/** What the kernel takes as the path of a unix socket, less its final zero. */
const MAX_SOCKET_PATH_BYTES = 107;

/** Every runner that is not embedded on a unix socket of its own, and the edges: one tree. */
export function planServe(facts: ServeFacts): Plan {
  const { config, target, service, entries, machine } = facts;
  const runners = service.runners.filter((runner) => !runner.embedded);
  const sockets = runners.map((runner) => planRunnerSocket(runner, facts));
  const runnerMap: RunnerMap = new Map(
    runners.map((runner) => [runner.name, [{ kind: 'unix', path: socketPath(facts.runtimeDir, runner) }]]),
  );
  const { graceMs, log, reload } = config.http;
  const watchers = runners.map((runner) =>
    planRunnerWatcher({
      runner,
      target,
      entry: entries.runner,
      socket: socketName(runner),
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
    sockets: [...sockets, ...http.sockets, ...(grpc?.sockets ?? [])],
    watchers: [...watchers, ...http.watchers, ...(grpc?.watchers ?? [])],
    // A model that takes long to load does not keep the edges from answering with the new code.
    ...(reload && { reloadTogether: true }),
  });
}

function planRunnerSocket(runner: RunnerDescription, { config, runtimeDir }: ServeFacts): SocketSpec {
  const path = socketPath(runtimeDir, runner);
  const bytes = Buffer.byteLength(path);
  if (bytes > MAX_SOCKET_PATH_BYTES) {
    throw new ServeError(
      'address_unavailable',
      `socket path '${path}' has ${bytes} bytes, more than the ${MAX_SOCKET_PATH_BYTES} allowed; set TMPDIR to a shorter path`,
      { details: { path } },
    );
  }
  return { name: socketName(runner), path, mode: 0o600, backlog: config.http.backlog, accept: 'balanced' };
}

function socketName(runner: RunnerDescription): string {
  return `runner:${runner.name}`;
}

function socketPath(runtimeDir: string, runner: RunnerDescription): string {
  return join(runtimeDir, `${runner.name}.sock`);
}
