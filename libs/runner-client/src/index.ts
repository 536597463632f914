export { connectRunner } from './remote-handle.js';
export { bindRunners } from './bind-runners.js';
export type { BindOptions, BoundRunners } from './bind-runners.js';
export type { ClientLog, RunnerClientOptions } from './compile-options.js';
