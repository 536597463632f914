import type {
  EdgeWorkerData,
  GrpcServerConfig,
  GrpcWorkerData,
  HttpServerConfig,
  HttpWorkerData,
  WorkerTarget,
} from '@bentots/config';
import { formatRunnerMap, type RunnerMap } from '@bentots/runner-map';
import type { SocketSpec, WatcherSpec } from '@bentots/supervisor';

import {
  GRPC_READY_TIMEOUT_MS,
  NODE_ARGS,
  planDevelopment,
  PRIORITY,
  READY_TIMEOUT_MS,
  toJson,
} from './plan-watcher.js';

/** Names of the edges' sockets in plans. */
export const EDGE_SOCKETS = { http: 'http', grpc: 'grpc', grpcMetrics: 'grpc_metrics' } as const;

/** What an edge is planned from. */
export interface EdgeFacts<Config> {
  readonly config: Config;
  readonly target: WorkerTarget;
  readonly entry: string;
  readonly runnerMap: RunnerMap;
}

/** Sockets and watchers that one edge adds to a plan. */
export interface EdgePlan {
  readonly sockets: readonly SocketSpec[];
  readonly watchers: readonly WatcherSpec[];
}

/**
 * The HTTP edge. Its connections are handed out evenly: the kernel would give most of those that come at once to one
 * worker. That costs about 0.2 ms for a new connection, and nothing for a kept one.
 */
export function planHttpEdge(facts: EdgeFacts<HttpServerConfig>): EdgePlan {
  const { config } = facts;
  const data: HttpWorkerData = {
    ...planEdgeData(facts, EDGE_SOCKETS.http),
    keepAliveMs: config.keepAliveMs,
    maxBodyBytes: config.maxBodyBytes,
    ...(config.maxConcurrency !== undefined && { maxConcurrency: config.maxConcurrency }),
    ...(config.cors !== undefined && { cors: config.cors }),
  };
  const { host, port, backlog } = config;
  return {
    sockets: [
      { name: EDGE_SOCKETS.http, inherit: EDGE_SOCKETS.http, host, port, backlog, accept: 'balanced' },
    ],
    watchers: [
      {
        ...planEdgeWatcher('http_api', facts, data),
        sockets: [EDGE_SOCKETS.http],
        readyTimeoutMs: READY_TIMEOUT_MS,
      },
    ],
  };
}

/** The gRPC edge. Its few, long connections are handed out evenly; metrics have a plain HTTP port beside it. */
export function planGrpcEdge(facts: EdgeFacts<GrpcServerConfig>): EdgePlan {
  const { config } = facts;
  const { metrics, host, port, backlog } = config;
  const metricsPort = pickMetricsPort(config);
  const data: GrpcWorkerData = {
    ...planEdgeData(facts, EDGE_SOCKETS.grpc),
    ...(metricsPort !== undefined && { metricsSocket: EDGE_SOCKETS.grpcMetrics }),
    protocolVersion: config.protocolVersion,
    reflection: config.reflection,
    channelz: config.channelz,
    ...(config.maxConcurrentStreams !== undefined && { maxConcurrentStreams: config.maxConcurrentStreams }),
    ...(config.maxConcurrentRpcs !== undefined && { maxConcurrentRpcs: config.maxConcurrentRpcs }),
    maxMessageBytes: config.maxMessageBytes,
  };
  const sockets: SocketSpec[] = [
    { name: EDGE_SOCKETS.grpc, inherit: EDGE_SOCKETS.grpc, host, port, backlog, accept: 'balanced' },
  ];
  if (metricsPort !== undefined) {
    sockets.push({
      name: EDGE_SOCKETS.grpcMetrics,
      inherit: EDGE_SOCKETS.grpcMetrics,
      host: metrics.host,
      port: metricsPort,
      accept: 'shared',
    });
  }
  return {
    sockets,
    watchers: [
      {
        ...planEdgeWatcher('grpc_api', facts, data),
        sockets: sockets.map((socket) => socket.name),
        readyTimeoutMs: GRPC_READY_TIMEOUT_MS,
      },
    ],
  };
}

/** The port beside the gRPC edge that serves metrics; undefined: there is none. */
export function pickMetricsPort({ metrics }: GrpcServerConfig): number | undefined {
  return metrics.enabled ? metrics.port : undefined;
}

type EdgeConfigs = HttpServerConfig | GrpcServerConfig;

function planEdgeWatcher(name: string, facts: EdgeFacts<EdgeConfigs>, data: EdgeWorkerData): WatcherSpec {
  return {
    name,
    entry: facts.entry,
    nodeArgs: NODE_ARGS,
    numProcesses: facts.config.apiWorkers,
    cwd: facts.target.workingDir,
    data: toJson(data),
    priority: PRIORITY.edge,
    graceMs: facts.config.graceMs,
    ...planDevelopment(facts.config.reload),
  };
}

function planEdgeData(facts: EdgeFacts<EdgeConfigs>, socket: string): EdgeWorkerData {
  const { config, target, runnerMap } = facts;
  return {
    target,
    runnerMap: formatRunnerMap(runnerMap),
    ...(config.runnerSsl && { runnerSsl: config.runnerSsl }),
    socket,
    timeoutMs: config.timeoutMs,
    graceMs: config.graceMs,
    ...(config.ssl && { ssl: config.ssl }),
    metrics: { enabled: config.metrics.enabled, buckets: config.metrics.buckets },
    log: config.log,
  };
}
