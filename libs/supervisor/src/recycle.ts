import { ServeError } from '@bentots/errors';

/** When a worker that is well is replaced nevertheless; part of a watcher's plan. Each limit is off unless given. */
export interface RecycleOptions {
  /** Requests that a process serves; it counts them itself, with `worker.served()`. */
  readonly maxRequests?: number;
  /** Time that a process is ready. */
  readonly maxAgeMs?: number;
  /** Memory that a process may hold, by its own beats. */
  readonly maxRssBytes?: number;
  /** Each process has `maxRequests` and `maxAgeMs` shortened by up to this fraction, at random. @default 0.1 */
  readonly recycleJitter?: number;
}

/** {@link RecycleOptions} with every default filled in; `Infinity` is off. */
export type RecycleConfig = Required<RecycleOptions>;

/** The limits of one process; `Infinity` is none. */
export type RecycleLimits = Omit<RecycleConfig, 'recycleJitter'>;

/** A reason to replace a worker that is well. */
export type RecycleReason = 'max-requests' | 'max-age' | 'memory';

/** What the judgement needs to know about a ready process. */
export interface Wear {
  readonly limits: RecycleLimits;
  /** Whether it has said that it served its requests. */
  readonly isSpent: boolean;
  readonly readyForMs: number;
  /** Undefined until its first beat. */
  readonly rssBytes: number | undefined;
}

/** Checks the limits; `invalid_option` names the field. */
export function compileRecycle(options: RecycleOptions, where: string): RecycleConfig {
  const limit = (field: 'maxRequests' | 'maxAgeMs' | 'maxRssBytes'): number => {
    const value = options[field];
    if (value === undefined || (Number.isSafeInteger(value) && value >= 1)) return value ?? Infinity;
    const message = `${where}: ${field} is ${value}; expected a whole number from 1, or nothing for no limit`;
    throw new ServeError('invalid_option', message);
  };
  const recycleJitter = options.recycleJitter ?? 0.1;
  if (!(recycleJitter >= 0 && recycleJitter <= 1)) {
    throw new ServeError('invalid_option', `${where}: recycleJitter is ${recycleJitter}; expected 0 to 1`);
  }
  return {
    maxRequests: limit('maxRequests'),
    maxAgeMs: limit('maxAgeMs'),
    maxRssBytes: limit('maxRssBytes'),
    recycleJitter,
  };
}

/** Rolls the limits of one process, once, so that processes of one age do not go together. `random` returns 0 to 1. */
export function rollLimits(config: RecycleConfig, random: () => number): RecycleLimits {
  const roll = (limit: number): number =>
    Math.max(1, Math.ceil(limit * (1 - config.recycleJitter * random())));
  return {
    maxRequests: roll(config.maxRequests),
    maxAgeMs: roll(config.maxAgeMs),
    maxRssBytes: config.maxRssBytes,
  };
}

/** Why a process has to be replaced now, if it has. */
export function recycleReason(wear: Wear): RecycleReason | undefined {
  if (wear.isSpent) return 'max-requests';
  if (wear.readyForMs >= wear.limits.maxAgeMs) return 'max-age';
  if ((wear.rssBytes ?? 0) > wear.limits.maxRssBytes) return 'memory';
  return undefined;
}
