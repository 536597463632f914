import type { WatcherSpec } from '@bentots/supervisor';

/** Models can be large, and are loaded before a worker is ready. */
export const READY_TIMEOUT_MS = 300_000;

/** A gRPC worker also waits for its runners, which may be started after it. */
export const GRPC_READY_TIMEOUT_MS = 600_000;

/** Stacks of our code and of services point into the sources they were written in. */
export const NODE_ARGS: readonly string[] = ['--enable-source-maps'];

/** Started in this order, stopped in the reverse: whoever drains still has whom it calls. */
export const PRIORITY = { runner: 0, dispatcher: 5, edge: 10 } as const;

/** What development adds to a watcher: a process that waits to be the next, so that changed code answers soon. */
export function planDevelopment(reload: boolean): Pick<WatcherSpec, 'spare'> {
  return reload ? { spare: true } : {};
}

/** Worker data as JSON: what is undefined is left out. */
export function toJson(data: object): NonNullable<WatcherSpec['data']> {
  return JSON.parse(JSON.stringify(data)) as NonNullable<WatcherSpec['data']>; // what JSON.parse returns is JSON
}
