import type { Outcome } from './failure.js';

/** How many requests had which outcome. */
export type Tally = Readonly<Record<Outcome, number>>;

/** Nothing yet. */
export const emptyTally: Tally = { ok: 0, refused: 0, unavailable: 0, lost: 0, wrong: 0, late: 0 };

/** The sum of several tallies. */
export function addTallies(...tallies: readonly Tally[]): Tally {
  return tallies.reduce(
    (sum, one) => ({
      ok: sum.ok + one.ok,
      refused: sum.refused + one.refused,
      unavailable: sum.unavailable + one.unavailable,
      lost: sum.lost + one.lost,
      wrong: sum.wrong + one.wrong,
      late: sum.late + one.late,
    }),
    emptyTally,
  );
}

/** All requests. */
export function countOf(tally: Tally): number {
  return Object.values(tally).reduce((sum, count) => sum + count, 0);
}

/** Requests that nothing excuses: neither answered nor cleanly refused. */
export function failedOf({ lost, wrong, late }: Tally): number {
  return lost + wrong + late;
}

/** `5120 ok, 3 lost`: outcomes that did not happen are left out. */
export function formatTally(tally: Tally): string {
  const happened = Object.entries(tally).filter(([outcome, count]) => outcome === 'ok' || count > 0);
  return happened.map(([outcome, count]) => `${count} ${outcome}`).join(', ');
}
