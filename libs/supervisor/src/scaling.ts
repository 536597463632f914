import { ServeError } from '@bentots/errors';

/** Lets the number of a watcher's workers follow its load, within bounds. */
export interface ScalingOptions {
  readonly min: number;
  readonly max: number;
  /** Share of time that event loops shall be busy, over all workers; above it there are too few. @default 0.7 */
  readonly targetUtilization?: number;
  /** Work that waits longer means too few workers too, if they report it. @default Infinity, which is off */
  readonly maxQueueDelayMs?: number;
  /** How long there must be too few before there are more. @default 5000 */
  readonly upAfterMs?: number;
  /** How long there must be too many before there is one less. @default 60000 */
  readonly downAfterMs?: number;
  /** After a change, time until the next one. @default 20000 */
  readonly coolDownMs?: number;
}

/** {@link ScalingOptions} with every default filled in. */
export type ScalingConfig = Required<ScalingOptions>;

/** The load of a watcher at one moment. */
export interface LoadSample {
  readonly atMs: number;
  /** Mean of the ready workers, 0 to 1. */
  readonly utilization: number;
  /** The worst of all workers; undefined if none has told. */
  readonly queueDelayMs: number | undefined;
}

/** What a decision rests on. */
export interface LoadHistory {
  /** How many workers there are meant to be now. */
  readonly workers: number;
  /** When that number was last changed. */
  readonly changedAtMs: number;
  /** Ascending in time. */
  readonly samples: readonly LoadSample[];
}

/** With one worker less, the others would still be so far below the target; else the two would alternate. */
const HYSTERESIS = 0.8;

/** Checks the bounds and fills in defaults; `invalid_option` names the field. */
export function compileScaling(
  options: ScalingOptions,
  watcher: { readonly numProcesses: number; readonly singleton: boolean; readonly maxProcesses: number },
  where: string,
): ScalingConfig {
  const config = {
    targetUtilization: 0.7,
    maxQueueDelayMs: Infinity,
    upAfterMs: 5000,
    downAfterMs: 60_000,
    coolDownMs: 20_000,
    ...options,
  };
  const refuse = (field: string, value: unknown, expected: string): never => {
    throw new ServeError('invalid_option', `${where}: scaling.${field} is ${value}; expected ${expected}`);
  };
  const { min, max, targetUtilization } = config;
  const { numProcesses, singleton, maxProcesses } = watcher;
  if (singleton) throw new ServeError('invalid_option', `${where} is a singleton and cannot have scaling`);
  if (!Number.isInteger(min) || min < 1) refuse('min', min, 'a whole number from 1');
  if (!Number.isInteger(max) || max < min || max > maxProcesses)
    refuse('max', max, `a whole number from min (${min}) to ${maxProcesses}`);
  if (numProcesses < min || numProcesses > max) {
    const message = `${where}: numProcesses is ${numProcesses}; scaling keeps it from ${min} to ${max}`;
    throw new ServeError('invalid_option', message);
  }
  if (!(targetUtilization > 0 && targetUtilization < 1))
    refuse('targetUtilization', targetUtilization, 'more than 0 and less than 1');
  for (const field of ['maxQueueDelayMs', 'upAfterMs', 'downAfterMs', 'coolDownMs'] as const)
    if (!(config[field] >= 0)) refuse(field, config[field], 'a number from 0');
  return config;
}

/**
 * How many workers there should be; pure. More at once when all samples of `upAfterMs` say that there are too few, one
 * less when all of `downAfterMs` say that one less would do, as many as before during `coolDownMs` after a change.
 */
export function decideScale(config: ScalingConfig, history: LoadHistory, nowMs: number): number {
  const { min, max, coolDownMs, upAfterMs, downAfterMs } = config;
  const { workers, changedAtMs } = history;
  if (workers < min || workers > max) return clamp(workers, min, max);
  if (nowMs - changedAtMs < coolDownMs) return workers;
  const busy = lastSamples(history, nowMs, upAfterMs);
  if (busy.length > 0 && busy.every((sample) => isTooMuch(config, sample))) {
    const mean = busy.reduce((sum, { utilization }) => sum + utilization, 0) / busy.length;
    const wanted = Math.ceil((workers * mean) / config.targetUtilization);
    return clamp(Math.max(wanted, workers + 1), min, max);
  }
  const quiet = lastSamples(history, nowMs, downAfterMs);
  const isQuiet = quiet.length > 0 && quiet.every((sample) => isTooLittle(config, workers, sample));
  return isQuiet ? clamp(workers - 1, min, max) : workers;
}

/** The samples of the last `windowMs` since the last change; none if they do not reach back so far. */
function lastSamples(
  { samples, changedAtMs }: LoadHistory,
  nowMs: number,
  windowMs: number,
): readonly LoadSample[] {
  const since = samples.filter(({ atMs }) => atMs > changedAtMs);
  const reachesBack = since.some(({ atMs }) => atMs <= nowMs - windowMs);
  return reachesBack ? since.filter(({ atMs }) => atMs >= nowMs - windowMs) : [];
}

function isTooMuch(
  { targetUtilization, maxQueueDelayMs }: ScalingConfig,
  { utilization, queueDelayMs = 0 }: LoadSample,
): boolean {
  return utilization > targetUtilization || queueDelayMs > maxQueueDelayMs;
}

function isTooLittle(config: ScalingConfig, workers: number, sample: LoadSample): boolean {
  const { targetUtilization, maxQueueDelayMs } = config;
  if (workers === 1 || (sample.queueDelayMs ?? 0) > maxQueueDelayMs * HYSTERESIS) return false;
  return (sample.utilization * workers) / (workers - 1) < targetUtilization * HYSTERESIS;
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, value));
}
