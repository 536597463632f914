import { type Aim, atMost } from '../aim.js';
import type { ClosedReport } from '../load/closed-loop.js';
import { formatFigure, formatTable, median } from '../table.js';

/** When the lone client asked. */
export type Moment = 'quiet' | 'after a burst';

/** One second of a lone client. */
export interface LoneSample extends ClosedReport {
  readonly model: string;
  readonly batching: boolean;
  readonly moment: Moment;
  readonly round: number;
}

/** What is counted as equal: the p50 with batching may be so many times that without. */
const LIMIT = 1.05;

/** For each model and moment: p50 without and with batching in the middle round, and how they compare. */
export function formatLone(samples: readonly LoneSample[]): string {
  const rows = kindsOf(samples).map(({ model, moment }) => {
    const [off, on] = [false, true].map((batching) => p50sOf(samples, model, moment, batching));
    const best = Math.min(...(on ?? [])) / Math.min(...(off ?? []));
    const ratio = ratioOf(samples, model, moment);
    return [
      model,
      moment,
      ...[off, on].map((p50s) => formatFigure(median(p50s ?? []))),
      formatFigure(ratio),
      formatFigure(best),
    ];
  });
  return formatTable(
    ['model', 'client', 'off: p50 ms', 'on: p50 ms', 'on ÷ off', 'of the best rounds'],
    rows,
  );
}

/** One aim for each model and moment. */
export function aimsOf(samples: readonly LoneSample[]): Aim[] {
  return kindsOf(samples).map(({ model, moment }) =>
    atMost(
      `lone client, ${model}, ${moment}: p50, times that without batching`,
      LIMIT,
      ratioOf(samples, model, moment),
    ),
  );
}

function ratioOf(samples: readonly LoneSample[], model: string, moment: Moment): number {
  return median(p50sOf(samples, model, moment, true)) / median(p50sOf(samples, model, moment, false));
}

function p50sOf(samples: readonly LoneSample[], model: string, moment: Moment, batching: boolean): number[] {
  return samples
    .filter((one) => one.model === model && one.moment === moment && one.batching === batching)
    .sort((a, b) => a.round - b.round)
    .map(({ p50Ms }) => p50Ms);
}

function kindsOf(samples: readonly LoneSample[]): { model: string; moment: Moment }[] {
  const models = [...new Set(samples.map(({ model }) => model))];
  const moments = [...new Set(samples.map(({ moment }) => moment))];
  return models.flatMap((model) => moments.map((moment) => ({ model, moment })));
}
