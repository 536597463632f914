import type { ServeErrorJson } from '@bentots/errors';
import type { AcceptMode, JsonValue } from './plan.js';

/** A socket as a worker sees it: `fd` only when it accepts by itself. */
export interface WorkerSocket {
  readonly name: string;
  readonly accept: AcceptMode;
  readonly backlog: number;
  readonly fd?: number;
}

/** What a worker is told when it attaches. */
export interface WorkerInit {
  readonly watcher: string;
  readonly workerId: number;
  readonly generation: number;
  /** What `ps` shows. */
  readonly title: string;
  readonly data: JsonValue;
  readonly sockets: readonly WorkerSocket[];
  readonly heartbeatMs: number;
  /** After so many requests it says `spent`; null: never. */
  readonly maxRequests: number | null;
  readonly snapshotMs: number;
}

/** How a worker has been doing since its last beat. */
export interface Beat {
  /** How much later than planned the beat was sent. */
  readonly lateMs: number;
  /** The longest time that anything waited for the event loop. */
  readonly lagMs: number;
  /** What half of the samples did not wait longer than. */
  readonly lagP50Ms: number;
  /** Share of time that the event loop was busy, 0 to 1. */
  readonly utilization: number;
  /** Share of one core that the process used, all its threads together: more than 1 is possible. */
  readonly cpu: number;
  readonly rssBytes: number;
  /** JavaScript objects. */
  readonly heapBytes: number;
  /** Open connections that it accepted by itself. */
  readonly connections: number;
  /** The longest time that work waited for its turn, if the worker reports it. */
  readonly queueDelayMs?: number;
  /** The same of work for other watchers of the tree, by their names. */
  readonly queueDelaysMs?: Readonly<Record<string, number>>;
}

/** How a worker is asked to stop. */
export interface DrainOrder {
  /** Time until its process group is killed. */
  readonly graceMs: number;
  /** Whether somebody waits at a terminal: nothing that may never come is waited for. */
  readonly hurry: boolean;
}

/** What a worker's readiness has to know about the tree around it. */
export interface TreeHealth {
  /** The tree is about to stop: it serves as before, but load balancers are to look elsewhere. */
  readonly lameDuck: boolean;
  /** Names of the watchers with a worker that crashes again and again. */
  readonly crashLooping: readonly string[];
  /** How many workers of each watcher are ready, and not draining. */
  readonly ready: Readonly<Record<string, number>>;
}

/**
 * What workers tell the arbiter. The key is `supervisor` so that messages which user code sends over the same channel
 * are told apart, and ignored.
 */
export type WorkerMessage =
  | { readonly supervisor: 'hello' }
  /** A spare has loaded what it can. */
  | { readonly supervisor: 'warm' }
  | { readonly supervisor: 'ready'; readonly info: JsonValue }
  | { readonly supervisor: 'fail'; readonly error: ServeErrorJson }
  /** A signal from outside asks this worker to stop. */
  | { readonly supervisor: 'leaving' }
  /** It has served its `maxRequests`. */
  | { readonly supervisor: 'spent' }
  /** It accepts nothing by itself any more. */
  | { readonly supervisor: 'unlistened' }
  /** The handed connection is the worker's now. */
  | { readonly supervisor: 'taken'; readonly id: number }
  /** So many handed connections of a socket ended. */
  | { readonly supervisor: 'closed'; readonly socket: string; readonly count: number }
  | ({ readonly supervisor: 'beat' } & Beat)
  | { readonly supervisor: 'snapshot'; readonly id: number; readonly snapshot: unknown }
  | { readonly supervisor: 'ask-metrics'; readonly id: number };

/** What the arbiter tells workers. */
export type ArbiterMessage =
  | ({ readonly supervisor: 'init' } & WorkerInit)
  /** It is a spare, and told later who it is: time to warm up. */
  | { readonly supervisor: 'spare'; readonly data: JsonValue }
  /** A connection goes with it. */
  | { readonly supervisor: 'connection'; readonly id: number; readonly socket: string }
  /** Told again when somebody begins to be in a hurry. */
  | ({ readonly supervisor: 'drain' } & DrainOrder)
  /** Sent after `init`, and whenever it changes. */
  | ({ readonly supervisor: 'tree' } & TreeHealth)
  /** No more connections will come: finish those that are there. */
  | { readonly supervisor: 'sealed' }
  | { readonly supervisor: 'ask-snapshot'; readonly id: number }
  | { readonly supervisor: 'metrics'; readonly id: number; readonly text: string | null };

type Fields = Readonly<Record<string, unknown>>;

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
const isString = (value: unknown): value is string => typeof value === 'string';
const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null;
const always = (): boolean => true;

const BEAT_FIELDS: readonly (keyof Beat)[] = [
  'lateMs',
  'lagMs',
  'lagP50Ms',
  'utilization',
  'cpu',
  'rssBytes',
  'heapBytes',
  'connections',
];

const WORKER_CHECKS: Readonly<Record<WorkerMessage['supervisor'], (fields: Fields) => boolean>> = {
  hello: always,
  warm: always,
  ready: always,
  fail: ({ error }) => isFields(error) && isString(error['code']) && isString(error['message']),
  leaving: always,
  spent: always,
  unlistened: always,
  taken: ({ id }) => isNumber(id),
  closed: ({ socket, count }) => isString(socket) && isNumber(count),
  beat: (fields) => BEAT_FIELDS.every((name) => isNumber(fields[name])),
  snapshot: ({ id }) => isNumber(id),
  'ask-metrics': ({ id }) => isNumber(id),
};

const ARBITER_CHECKS: Readonly<Record<ArbiterMessage['supervisor'], (fields: Fields) => boolean>> = {
  init: ({ watcher, workerId, sockets }) => isString(watcher) && isNumber(workerId) && Array.isArray(sockets),
  spare: always,
  connection: ({ id, socket }) => isNumber(id) && isString(socket),
  drain: ({ graceMs, hurry }) => isNumber(graceMs) && typeof hurry === 'boolean',
  tree: ({ lameDuck, crashLooping, ready }) =>
    typeof lameDuck === 'boolean' && Array.isArray(crashLooping) && isFields(ready),
  sealed: always,
  'ask-snapshot': ({ id }) => isNumber(id),
  metrics: ({ id, text }) => isNumber(id) && (isString(text) || text === null),
};

/** Whether a value that came over a worker's channel is one of our messages; all others are the user's own. */
export function isWorkerMessage(value: unknown): value is WorkerMessage {
  return passes(WORKER_CHECKS, value);
}

/** Whether a value that came from the parent is one of our messages. */
export function isArbiterMessage(value: unknown): value is ArbiterMessage {
  return passes(ARBITER_CHECKS, value);
}

function passes(checks: Readonly<Record<string, (fields: Fields) => boolean>>, value: unknown): boolean {
  if (!isFields(value) || !isString(value['supervisor'])) return false;
  const kind = value['supervisor'];
  return Object.hasOwn(checks, kind) && checks[kind]?.(value) === true;
}
