/** How long to pause before the next attempt. */
export interface BackoffRule {
  readonly minBackoffMs: number;
  readonly maxBackoffMs: number;
  /** From 0 to 1. */
  readonly random: () => number;
}

/**
 * The pause after so many failures in a row: none after none, then doubling from the shortest to the longest, of which
 * the upper half is random, so that clients of a runner that comes back do not all come at once.
 */
export function backoffMs(failures: number, rule: BackoffRule): number {
  if (failures === 0) return 0;
  const most = Math.min(rule.maxBackoffMs, rule.minBackoffMs * 2 ** (failures - 1));
  return most / 2 + (rule.random() * most) / 2;
}
