// For users: the four functions.
export { startRunnerServer } from './start-runner-server.js';
export { startHttpServer } from './start-http-server.js';
export { startGrpcServer } from './start-grpc-server.js';
export { startServe } from './start-serve.js';
export type { ServerHandle } from './server-handle.js';
export type { Announcement } from './prepared.js';
export type {
  EdgeStartExtras,
  StartExtras,
  StartGrpcServerOptions,
  StartHttpServerOptions,
  StartRunnerServerOptions,
  StartServeOptions,
  WorkerEntries,
} from './start-options.js';

// For our apps: the end of a program, and what would be started.
export { exitWithError, runToExit } from './run-to-exit.js';
export type { RunToExitOptions } from './run-to-exit.js';
export { describeEvent } from './log-event.js';
export { dryRun } from './dry-run.js';
export { prepareRunnerServer } from './start-runner-server.js';
export { prepareHttpServer } from './start-http-server.js';
export { prepareGrpcServer } from './start-grpc-server.js';
export { prepareServe } from './start-serve.js';
export type { Prepare, Prepared } from './prepared.js';
