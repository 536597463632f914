import type { ServeErrorJson } from '@bentots/errors';
import type { SupervisorEvent } from '../events.js';
import type { TreeStatus, WatcherStatus, WorkerStatus } from '../status.js';

/** Bounds of the control socket; `docs/control.md` tells them. */
export const CONTROL_LIMITS = {
  /** Longest request. */
  lineBytes: 65_536,
  /** Longest answer that a client takes: the status of a thousand workers is a fifth of it. */
  answerBytes: 4 * 1024 * 1024,
  connections: 32,
  /** Commands of one connection that are not answered yet. */
  outstanding: 16,
  /** A connection that leaves more than this unread is cut. */
  unreadBytes: 1024 * 1024,
  /** Events that are kept for those who come later. */
  keptEvents: 256,
} as const;

/** Something that happened, with when and the how-manieth it was. */
export interface TimedEvent {
  readonly seq: number;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly event: SupervisorEvent;
}

/** One line of `list`. */
export interface WatcherEntry extends Pick<WatcherStatus, 'name' | 'state' | 'numProcesses'> {
  readonly ready: number;
  readonly pids: readonly number[];
}

/** The answer to `stats`: the tree without its sockets, the arbiter, and every worker with its watcher's name. */
export interface TreeStats extends Omit<TreeStatus, 'sockets' | 'watchers'> {
  /** The process that runs the tree; what else runs in it counts too. */
  readonly arbiter: { readonly uptimeMs: number; readonly rssBytes: number };
  readonly workers: readonly ({ readonly watcher: string } & WorkerStatus)[];
}

/** What may go with each command. */
export interface ControlArguments {
  readonly status: object;
  readonly list: object;
  readonly stats: object;
  readonly restart: { readonly watcher?: string; readonly worker?: number };
  readonly reload: { readonly watcher?: string };
  readonly incr: { readonly watcher: string; readonly count?: number };
  readonly decr: { readonly watcher: string; readonly count?: number };
  readonly set: { readonly watcher: string; readonly numProcesses: number };
  readonly signal: {
    readonly signal: NodeJS.Signals;
    readonly watcher?: string;
    readonly worker?: number;
  };
  readonly stop: { readonly force?: boolean };
  readonly events: { readonly last?: number; readonly follow?: boolean };
  readonly quit: object;
}

/** What each command is answered with. */
export interface ControlResults {
  readonly status: TreeStatus;
  readonly list: { readonly watchers: readonly WatcherEntry[] };
  readonly stats: TreeStats;
  readonly restart: object;
  readonly reload: object;
  readonly incr: { readonly numProcesses: number };
  readonly decr: { readonly numProcesses: number };
  readonly set: { readonly numProcesses: number };
  readonly signal: { readonly signalled: number };
  readonly stop: object;
  readonly events: { readonly events: readonly TimedEvent[] };
  readonly quit: object;
}

/** A command by name. */
export type CommandName = keyof ControlArguments;

/** What the tree writes: answers in the order they are ready, and events in between for who follows them. */
export type ControlAnswer =
  | { readonly id: number | string; readonly ok: true; readonly result: unknown }
  /** `id` is null when the request was too broken to have one; then the connection ends. */
  | { readonly id: number | string | null; readonly ok: false; readonly error: ServeErrorJson }
  | TimedEvent;
