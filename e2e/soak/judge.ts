import type { Mishap } from '@bentots/load';

/** A time in which some requests may fail. */
export interface Excuse {
  /** `death`: of one worker. `down`: nobody listens, an arbiter was killed. `runner down`: nobody computes. */
  readonly kind: 'death' | 'down' | 'runner down';
  /** Whose clients it excuses. */
  readonly trees: readonly string[];
  /** By `performance.now()`; one that is not over yet has no end. */
  readonly fromMs: number;
  untilMs: number;
}

/**
 * What passes between a kill and the client's knowledge of it, on a busy machine: a request that is sent before the reset
 * is read was lost by the kill, though it began later.
 */
const NEWS_MS = 500;
/** A gRPC channel that was refused waits before it tries again. */
const BACK_OFF_MS = 2500;

/**
 * Whether a request that was not answered rightly is excused. A wrong answer never is, nor one that does not come; a lost
 * one was in flight when a process of its tree was killed; a refused one came while the tree was down; an unavailable
 * one while its runner was. The name of a load begins with that of its tree.
 */
export function isExcused(
  { load, outcome, sentAtMs, endedAtMs }: Mishap,
  excuses: readonly Excuse[],
): boolean {
  const overlaps = ({ fromMs, untilMs }: Excuse, marginMs: number): boolean =>
    sentAtMs <= untilMs + marginMs && endedAtMs >= fromMs;
  const ours = excuses.filter(({ trees }) => trees.some((tree) => load.startsWith(`${tree}: `)));
  return ours.some((excuse) => {
    switch (outcome) {
      case 'lost':
        return excuse.kind !== 'runner down' && overlaps(excuse, NEWS_MS);
      case 'refused':
        return excuse.kind === 'down' && overlaps(excuse, BACK_OFF_MS);
      case 'unavailable':
        return excuse.kind !== 'death' && overlaps(excuse, BACK_OFF_MS);
      default:
        return false;
    }
  });
}

/** What the processes of one arbiter needed, in MiB, at equal times. */
export interface Memory {
  readonly tree: string;
  readonly pid: number;
  readonly mib: readonly number[];
}

/** Fewer samples than this tell nothing: the process was just started. */
const LEAST_SAMPLES = 30;

/** Middle of the first and of the last third, and whether the difference is more than noise and the heap's own ease. */
export function judgeMemory({ mib }: Memory): { first: number; last: number; isFlat: boolean } | undefined {
  if (mib.length < LEAST_SAMPLES) return undefined;
  const third = Math.floor(mib.length / 3);
  const [first, last] = [median(mib.slice(0, third)), median(mib.slice(-third))];
  return { first, last, isFlat: last <= 1.25 * first + 16 };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** Lines of `/metrics` that must be zero, or gone, once nobody asks any more, and are not. */
export function findStuckGauges(metrics: string): string[] {
  return metrics.split('\n').filter((line) => {
    const [, name = '', labels = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    const isQuiet =
      // The request for the metrics is itself in progress.
      (name.endsWith('_request_in_progress') && !labels.includes('endpoint="/metrics"')) ||
      (name === 'bentots_worker_state' && !labels.includes('state="ready"'));
    return isQuiet && Number(value) !== 0;
  });
}
