import { ServeError } from '@bentots/errors';

/** When and how often a crashed worker is started again. */
export interface RestartPolicy {
  /** Delay before the second restart in a row; the first is immediate. @default 100 */
  readonly initialDelayMs: number;
  /** Each further delay is so many times longer. @default 2 */
  readonly factor: number;
  /** No delay is longer. @default 15000 */
  readonly maxDelayMs: number;
  /** Each delay is moved at random by up to this fraction, so that workers do not come back in step. @default 0.2 */
  readonly jitter: number;
  /** A worker that was ready for so long has its past forgiven. @default 30000 */
  readonly resetAfterMs: number;
  /** So many crashes of one worker within `windowMs` are borne; one more is a crash loop. @default 5 */
  readonly maxCrashes: number;
  /** @default 60000 */
  readonly windowMs: number;
  /** `stop`: the tree ends with the exit code of `crash_loop`. `keep`: go on at `maxDelayMs`, and say so. @default 'stop' */
  readonly onCrashLoop: 'stop' | 'keep';
}

/** The policy of watchers that ask for nothing else. */
export const DEFAULT_RESTART_POLICY: RestartPolicy = {
  initialDelayMs: 100,
  factor: 2,
  maxDelayMs: 15_000,
  jitter: 0.2,
  resetAfterMs: 30_000,
  maxCrashes: 5,
  windowMs: 60_000,
  onCrashLoop: 'stop',
};

/** One crash: when it was, and for how long the worker had been ready (0: it never was). */
export interface Crash {
  readonly atMs: number;
  readonly readyForMs: number;
}

/** What to do about a crash: start again after a delay, which may be part of a crash loop. */
export interface RestartDecision {
  readonly delayMs: number;
  readonly isCrashLoop: boolean;
  /** The crashes that still count; the `past` of the next decision. */
  readonly past: readonly Crash[];
}

/** Checks the parts of a policy that were given and fills in the others; `invalid_option` names the field. */
export function compileRestartPolicy(options: Partial<RestartPolicy>, where: string): RestartPolicy {
  const policy = { ...DEFAULT_RESTART_POLICY, ...options };
  const least = {
    initialDelayMs: 0,
    factor: 1,
    maxDelayMs: 0,
    jitter: 0,
    resetAfterMs: 0,
    maxCrashes: 0,
    windowMs: 1,
  };
  for (const [field, min] of Object.entries(least)) {
    const value = Object.entries(policy).find(([name]) => name === field)?.[1];
    if (typeof value !== 'number' || !(value >= min)) {
      throw new ServeError(
        'invalid_option',
        `${where}: restart.${field} is ${value}; expected a number from ${min}`,
      );
    }
  }
  if (policy.jitter > 1) {
    throw new ServeError('invalid_option', `${where}: restart.jitter is ${policy.jitter}; expected 0 to 1`);
  }
  return policy;
}

/**
 * Decides about the newest crash of one worker; pure, so that tests bring clock and dice.
 *
 * The first crash after a stable time is answered at once (most are single events and every ms costs requests);
 * each further one waits longer. `random` returns 0 to 1.
 */
export function decideRestart(
  policy: RestartPolicy,
  past: readonly Crash[],
  crash: Crash,
  random: () => number,
): RestartDecision {
  const forgiven = crash.readyForMs >= policy.resetAfterMs;
  const counted = [...(forgiven ? [] : past), crash].filter((one) => crash.atMs - one.atMs < policy.windowMs);
  const isCrashLoop = counted.length > policy.maxCrashes;
  const exponent = counted.length - 2;
  if (exponent < 0 && !isCrashLoop) return { delayMs: 0, isCrashLoop, past: counted };
  const grown = policy.initialDelayMs * policy.factor ** Math.max(0, exponent);
  const delayMs = isCrashLoop ? policy.maxDelayMs : Math.min(grown, policy.maxDelayMs);
  const moved = delayMs * (1 + policy.jitter * (2 * random() - 1));
  return { delayMs: Math.min(policy.maxDelayMs, Math.round(moved)), isCrashLoop, past: counted };
}
