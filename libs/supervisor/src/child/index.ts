export { attach } from './attach.js';
export type { AttachOptions } from './attach.js';
export type { DrainHook, DrainManner, LoadReport, Worker } from './worker.js';
export type { TreeHealth } from '../ipc.js';
export { drainHttpServer, trackHttpServer } from './drain-http.js';
export type { DrainHttpOptions } from './drain-http.js';
