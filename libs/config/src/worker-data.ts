import type {
  CorsConfig,
  GrpcServerConfig,
  LogConfig,
  MetricsConfig,
  RunnerSslConfig,
  SslConfig,
} from './config.js';

/** What the parent hands to its workers as `worker.data`: one type for each server app, JSON values only. */

/** The service to load; resolved by the parent, so that a worker never guesses. */
export interface WorkerTarget {
  readonly identifier: string;
  /** Absolute, symlinks resolved. */
  readonly workingDir: string;
}

/** Data of the processes that hold a runner's model. */
export interface RunnerWorkerData {
  readonly target: WorkerTarget;
  readonly runnerName: string;
  /** Name of the private socket to serve: only the runner's dispatcher comes there. */
  readonly socket: string;
  readonly log: LogConfig;
}

/** Data of the process that queues and batches the calls of one runner; `Runner` describes the runner. */
export interface DispatcherWorkerData<Runner> {
  readonly service: { readonly name: string; readonly version: string | null };
  readonly runner: Runner;
  /** The watcher whose workers hold the model. */
  readonly watcher: string;
  /** Where they are reached. */
  readonly workersPath: string;
  /** Name of the socket to serve. */
  readonly socket: string;
  /** Absent: what the runner's definition says. */
  readonly timeoutMs?: number;
  /** Absent: plain text. */
  readonly ssl?: SslConfig;
  readonly log: LogConfig;
}

/** What the workers of both edges get. */
export interface EdgeWorkerData {
  readonly target: WorkerTarget;
  /** Runner name → its addresses, as `formatRunnerMap` writes them. */
  readonly runnerMap: Readonly<Record<string, readonly string[]>>;
  /** For `tcps://` addresses; absent: what Node trusts, and no certificate of our own. */
  readonly runnerSsl?: RunnerSslConfig;
  /** Name of the socket to serve. */
  readonly socket: string;
  readonly timeoutMs: number;
  readonly graceMs: number;
  /** Absent: plain text. */
  readonly ssl?: SslConfig;
  readonly metrics: MetricsConfig;
  readonly log: LogConfig;
}

/** Data of an HTTP API server's workers. */
export interface HttpWorkerData extends EdgeWorkerData {
  readonly keepAliveMs: number;
  readonly maxBodyBytes: number;
  /** Absent: no limit. */
  readonly maxConcurrency?: number;
  /** Absent: no page of another origin may call. */
  readonly cors?: CorsConfig;
}

/** Data of a gRPC API server's workers. */
export interface GrpcWorkerData extends EdgeWorkerData {
  /** Name of the socket that serves metrics over HTTP; absent: none. */
  readonly metricsSocket?: string;
  readonly protocolVersion: GrpcServerConfig['protocolVersion'];
  readonly reflection: boolean;
  readonly channelz: boolean;
  /** Absent: no limit. */
  readonly maxConcurrentStreams?: number;
  /** Absent: no limit. */
  readonly maxConcurrentRpcs?: number;
  readonly maxMessageBytes: number;
}
