// For users: what may be said.
export type {
  CommonOptions,
  EdgeOptions,
  GrpcOnlyOptions,
  GrpcServerOptions,
  HttpServerOptions,
  LogLevel,
  RunnerMapOption,
  RunnerServerOptions,
  ServeOptions,
} from './options.js';
export type { Environment } from './environment.js';
export { readEnvironment } from './environment.js';

// For start and the apps: what it becomes.
export {
  compileGrpcServerConfig,
  compileHttpServerConfig,
  compileRunnerServerConfig,
  compileServeConfig,
} from './compile-config.js';
export { COMMAND_DEFAULTS } from './command-defaults.js';
export type { PortDefaults } from './command-defaults.js';
export { findControlSockets } from './compile-control-socket.js';
export { countCpus } from './count-cpus.js';
export { readListenFds, UNNAMED } from './read-listen-fds.js';
export { parseDecimal } from './field.js';
export type {
  ControlSocketConfig,
  CorsConfig,
  GrpcMetricsConfig,
  GrpcServerConfig,
  HttpServerConfig,
  LogConfig,
  RecycleLimits,
  MetricsConfig,
  RunnerServerConfig,
  RunnerSslConfig,
  ServeConfig,
  ServerConfig,
  SslConfig,
} from './config.js';
export type {
  EdgeWorkerData,
  GrpcWorkerData,
  HttpWorkerData,
  DispatcherWorkerData,
  RunnerWorkerData,
  WorkerTarget,
} from './worker-data.js';
