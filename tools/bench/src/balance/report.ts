import { type Aim, atMost } from '../aim.js';
import type { Sent } from '../load/open-loop.js';
import { quantile } from '../quantile.js';
import { formatFigure, formatTable, median } from '../table.js';

/** One open loop among workers of different speed. */
export interface BalanceSample {
  /** `pool`: the product chooses; `turns`: one after the other. */
  readonly way: 'pool' | 'turns';
  readonly perSecond: number;
  readonly round: number;
  readonly answered: number;
  readonly failed: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Calls of each worker, the fast ones first. */
  readonly calls: readonly { readonly workMs: number; readonly count: number }[];
}

/** What an open loop came to, by the worker that each answer names. */
export function countBalance(
  sent: readonly Sent[],
): Pick<BalanceSample, 'answered' | 'failed' | 'p50Ms' | 'p99Ms' | 'calls'> {
  const answered = sent.filter(({ status }) => status === 200);
  const tookMs = answered.map(({ sentMs, endedMs }) => endedMs - sentMs);
  const workers = new Map<number, { workMs: number; count: number }>();
  for (const { body } of answered) {
    const { pid, workMs } = JSON.parse(body) as { pid: number; workMs: number };
    workers.set(pid, { workMs, count: (workers.get(pid)?.count ?? 0) + 1 });
  }
  return {
    answered: answered.length,
    failed: sent.length - answered.length,
    p50Ms: quantile(tookMs, 0.5),
    p99Ms: quantile(tookMs, 0.99),
    calls: [...workers.values()].sort((a, b) => a.workMs - b.workMs || b.count - a.count),
  };
}

/** Both ways beside each other at each load. */
export function formatBalance(samples: readonly BalanceSample[]): string {
  const rows = loadsOf(samples).flatMap((perSecond) =>
    (['turns', 'pool'] as const).map((way) => {
      const chosen = pick(samples, way, perSecond);
      const middle = (of: (one: BalanceSample) => number): string => formatFigure(median(chosen.map(of)));
      const shares = chosen
        .map(({ calls, answered }) =>
          calls
            .map(({ workMs, count }) => `${workMs} ms: ${formatFigure((100 * count) / answered)} %`)
            .join(' · '),
        )
        .at(0);
      return [
        String(perSecond),
        way === 'pool' ? 'the worker that is free' : 'in turn',
        shares ?? '',
        middle((one) => one.p50Ms),
        middle((one) => one.p99Ms),
        String(chosen.reduce((sum, one) => sum + one.failed, 0)),
      ];
    }),
  );
  const head = [
    'calls/s',
    'who gets a call',
    'share of each worker, first round',
    'p50 ms',
    'p99 ms',
    'failed',
  ];
  return formatTable(head, rows);
}

/** At each load, the p99 as a multiple of that of turns. */
export function aimsOf(samples: readonly BalanceSample[]): Aim[] {
  return loadsOf(samples).map((perSecond) => {
    const [pool, turns] = (['pool', 'turns'] as const).map((way) =>
      median(pick(samples, way, perSecond).map(({ p99Ms }) => p99Ms)),
    );
    const what = `balance, one slow worker, ${perSecond} calls/s: p99, times that of turns`;
    return atMost(what, 1, (pool ?? NaN) / (turns ?? NaN));
  });
}

function pick(
  samples: readonly BalanceSample[],
  way: BalanceSample['way'],
  perSecond: number,
): BalanceSample[] {
  return samples.filter((one) => one.way === way && one.perSecond === perSecond);
}

function loadsOf(samples: readonly BalanceSample[]): number[] {
  return [...new Set(samples.map(({ perSecond }) => perSecond))];
}
