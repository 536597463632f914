import { addTallies, countOf, emptyTally, failedOf } from '@bentots/load';
import { formatFigure, formatTable, median } from '../table.js';
import type { DrainSample } from './drain.js';
import type { RecoverySample } from './recovery.js';
import type { SpreadSample } from './spread.js';

const groupBy = <T>(samples: readonly T[], keyOf: (sample: T) => string): [string, T[]][] => {
  const groups = new Map<string, T[]>();
  for (const sample of samples) groups.set(keyOf(sample), [...(groups.get(keyOf(sample)) ?? []), sample]);
  return [...groups];
};
const middleAndMost = (values: readonly number[]): string =>
  `${formatFigure(median(values))} (${formatFigure(Math.max(...values))})`;

/** A dead worker until its successor is ready: middle (most) of each kind of worker, in ms. */
export function formatRecovery(samples: readonly RecoverySample[]): string {
  const rows = groupBy(samples, ({ watcher, crash }) => `${watcher}|${crash}`).map(([key, group]) => [
    ...key.split('|'),
    String(group.length),
    middleAndMost(group.map(({ noticedMs }) => noticedMs)),
    middleAndMost(group.map(({ readyMs, ownStartMs }) => readyMs - ownStartMs)),
    middleAndMost(group.map(({ ownStartMs }) => ownStartMs)),
  ]);
  const head = ['worker', 'crash', 'kills', 'noticed ms', 'ready less own start ms', 'own start ms'];
  return formatTable(head, rows);
}

/** Connections of each worker in the round with the middle spread, and the busiest worker's share of the worst round. */
export function formatSpread(samples: readonly SpreadSample[]): string {
  const columns = [...new Set(samples.map(({ arrival, accept }) => `${arrival}, ${accept}`))].sort();
  const rows = groupBy(samples, ({ scheme, workers }) => `${scheme}|${workers}`).map(([key, group]) => [
    ...key.split('|'),
    ...columns.map((column) => formatCell(group.filter((one) => `${one.arrival}, ${one.accept}` === column))),
  ]);
  return formatTable(['', 'workers', ...columns], rows);
}

function formatCell(rounds: readonly SpreadSample[]): string {
  const shareOf = ({ connections }: SpreadSample): number =>
    Math.max(...connections) / connections.reduce((sum, count) => sum + count, 0);
  const sorted = [...rounds].sort((a, b) => shareOf(a) - shareOf(b));
  const [middle, worst] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted.at(-1)];
  if (middle === undefined || worst === undefined) return '-';
  return `${middle.connections.join(' ')} · ${Math.round(100 * shareOf(worst))} %`;
}

/** Requests and failures of all runs, for each kind of client and way of accepting. */
export function formatDrain(samples: readonly DrainSample[]): string {
  const rows = groupBy(samples, ({ scheme, clients, accept }) => `${scheme}|${clients}|${accept}`).map(
    ([key, group]) => [
      ...key.split('|'),
      ...(['reload', 'stop'] as const).flatMap((disturbance) => {
        const chosen = group.filter((sample) => sample.disturbance === disturbance);
        const tally = addTallies(emptyTally, ...chosen.map((sample) => sample.tally));
        const failed = failuresOf(chosen);
        const bad = chosen.filter((sample) => failuresOf([sample]) > 0).length;
        const count = String(countOf(tally));
        return [count, failed === 0 ? '0' : `${failed} in ${bad} of ${chosen.length} runs`];
      }),
    ],
  );
  const head = ['', 'clients', 'accept', 'reload: requests', 'failed', 'stop: requests', 'failed'];
  return formatTable(head, rows);
}

/** Requests that failed. A server that stops may refuse; one that reloads may not. */
export function failuresOf(samples: readonly DrainSample[]): number {
  return samples.reduce((sum, { disturbance, tally }) => {
    const unclean = disturbance === 'reload' ? tally.refused + tally.unavailable : 0;
    return sum + failedOf(tally) + unclean;
  }, 0);
}
