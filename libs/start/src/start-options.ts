import type {
  Environment,
  GrpcServerOptions,
  HttpServerOptions,
  PortDefaults,
  RunnerServerOptions,
  ServeOptions,
} from '@bentots/config';

/** Files of the worker programs, absolute; no library ever imports an app, so whoever starts says where they are. */
export interface WorkerEntries {
  /** The process of a runner server that holds the model. */
  readonly runner?: string;
  /** The process of a runner server that queues and batches calls. */
  readonly dispatcher?: string;
  /** HTTP API server's worker. */
  readonly http?: string;
  /** gRPC API server's worker. */
  readonly grpc?: string;
}

/** What each start function takes besides the server's own options. */
export interface StartExtras {
  /** Worker programs; each function says which it needs. */
  readonly workers: WorkerEntries;
  /** Stop on SIGINT, SIGTERM and SIGQUIT, at once on a second one. @default true */
  readonly signals?: boolean | undefined;
  /** Variables to read instead of the process's own. @default readEnvironment() */
  readonly environment?: Environment | undefined;
}

/** What those that start edges take, too. */
export interface EdgeStartExtras extends StartExtras {
  /**
   * Ports when neither option nor environment says one; a command passes the well-known `COMMAND_DEFAULTS`.
   * @default free ports, kept and reported by `ready`
   */
  readonly defaults?: PortDefaults | undefined;
}

/** Options of `startRunnerServer`; needs `workers.runner` and `workers.dispatcher`. */
export type StartRunnerServerOptions = RunnerServerOptions & StartExtras;

/** Options of `startHttpServer`; needs `workers.http`. */
export type StartHttpServerOptions = HttpServerOptions & EdgeStartExtras;

/** Options of `startGrpcServer`; needs `workers.grpc`. */
export type StartGrpcServerOptions = GrpcServerOptions & EdgeStartExtras;

/** Options of `startServe`; needs all workers that the service and the options lead to. */
export type StartServeOptions = ServeOptions & EdgeStartExtras;
