export { attach } from './attach.js';
export type { AttachOptions } from './attach.js';
export type { Worker } from './worker.js';
export { drainHttpServer } from './drain-http.js';
export type { DrainHttpOptions } from './drain-http.js';
