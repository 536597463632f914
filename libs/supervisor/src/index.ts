export { Arbiter } from './arbiter.js';
export type { ArbiterOptions, StopOptions } from './arbiter-options.js';
export { handleSignals } from './signals.js';
export { runOnce } from './run-once.js';
export type { RunOnceOptions } from './run-once.js';
export type {
  AcceptMode,
  ControlSpec,
  JsonValue,
  OutputSpec,
  Plan,
  Readiness,
  SocketSpec,
  WatcherSpec,
} from './plan.js';
export { DEFAULT_RESTART_POLICY } from './restart-policy.js';
export type { RecycleOptions } from './recycle.js';
export type { ScalingOptions } from './scaling.js';
export type { RestartPolicy } from './restart-policy.js';
export { formatBoundAddress } from './socket/bound-socket.js';
export type { GivenDescriptors } from './socket/adopt-descriptor.js';
export type { BoundSocket } from './socket/bound-socket.js';
export { EXIT_REASONS, RESTART_REASONS } from './events.js';
export type { ExitReason, KillReason, RestartReason, SupervisorEvent, WorkerRef } from './events.js';
export type { MetricsSink } from './metrics-hub.js';
export type { Beat } from './ipc.js';
export type { LastExit, SpareStatus, StopReport, TreeStatus, WatcherStatus, WorkerStatus } from './status.js';
export type { TreeState, WatcherState, WorkerState } from './states.js';
