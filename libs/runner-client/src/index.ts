export { connectRunner } from './remote-handle.js';
export type { RemoteRunner } from './remote-handle.js';
export { bindRunners } from './bind-runners.js';
export type { BindOptions, BoundRunners } from './bind-runners.js';
export type { ClientLog, RunnerClientOptions, RunnerTls } from './compile-options.js';
export type { ResolveHost } from './replicas/name-watch.js';
export type { ReplicaStats, RunnerStats } from './stats.js';
