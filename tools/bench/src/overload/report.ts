import { type Aim, atLeast, atMost } from '../aim.js';
import { formatFigure, formatTable, median } from '../table.js';
import type { Verdict } from './judge.js';

/** What a model can do when it always has enough to do, and the deadline of its requests. */
export interface Capacity {
  readonly model: string;
  readonly perSecond: number;
  readonly batchMs: number;
  readonly timeoutMs: number;
}

/** One open loop. */
export interface OverloadSample extends Verdict {
  readonly model: string;
  /** Requests per second, as a multiple of the capacity. */
  readonly factor: number;
  readonly round: number;
  /** By the model's own count: rows that were executed when their time was over, and whose time ended in execution. */
  readonly executedExpired: number;
  readonly executedLate: number;
  readonly meanBatch: number;
}

/** Longest time that a refusal may take. */
const REFUSE_MS = 10;

/** One row for each load; the middle of the rounds, of counts the sum, of what may never happen the most. */
export function formatOverload(capacities: readonly Capacity[], samples: readonly OverloadSample[]): string {
  const rows = capacities.flatMap((capacity) => factorsOf(samples).map((factor) => rowOf(capacity, factor)));
  return formatTable(
    [
      ...[
        'model',
        'load',
        'goodput /s',
        'of peak',
        'admitted p50 · p99 ms',
        'by the server: p99 ms',
        'deadline ms',
      ],
      ...[
        'refused in: p50 · p99 · most ms',
        'by the server: p99 · most ms',
        'refused',
        '504',
        'late',
        'lost',
      ],
      ...['executed too late', 'rows per batch', 'generator late p99 ms'],
    ],
    rows,
  );

  function rowOf(capacity: Capacity, factor: number): string[] {
    const { model, timeoutMs } = capacity;
    const chosen = pick(samples, model, [factor]);
    const middle = (of: (one: OverloadSample) => number): string => formatFigure(median(chosen.map(of)));
    const most = (of: (one: OverloadSample) => number): string => formatFigure(mostOf(chosen, of));
    const sum = (of: (one: OverloadSample) => number): string =>
      String(chosen.reduce((all, one) => all + of(one), 0));
    return [
      model,
      `${factor} ×`,
      middle((one) => one.goodPerSecond),
      `${formatFigure((100 * goodputOf(chosen)) / peakOf(capacity, samples))} %`,
      `${middle((one) => one.admittedP50Ms)} · ${middle((one) => one.admittedP99Ms)}`,
      middle((one) => one.serverAnsweredP99Ms),
      formatFigure(timeoutMs),
      `${middle((one) => one.refusedP50Ms)} · ${middle((one) => one.refusedP99Ms)} · ${most((one) => one.refusedMostMs)}`,
      `${middle((one) => one.serverRefusedP99Ms)} · ${most((one) => one.serverRefusedMostMs)}`,
      sum((one) => one.refused),
      sum((one) => one.expired),
      sum((one) => one.late),
      sum((one) => one.lost),
      sum((one) => one.executedExpired),
      middle((one) => one.meanBatch),
      middle((one) => one.lagP99Ms),
    ];
  }
}

/** Of the loads beyond capacity the worse one, in the middle round; what may never happen is summed over all loads. */
export function aimsOf(capacities: readonly Capacity[], samples: readonly OverloadSample[]): Aim[] {
  return capacities.flatMap((capacity) => {
    const { model, timeoutMs } = capacity;
    const beyond = factorsOf(samples).filter((factor) => factor > 1);
    const groups = beyond.map((factor) => pick(samples, model, [factor]));
    const worst = (of: (one: OverloadSample) => number): number =>
      Math.max(...groups.map((group) => median(group.map(of))));
    const good = (100 * Math.min(...groups.map(goodputOf))) / peakOf(capacity, samples);
    const name = `overload, ${model}, ${beyond.join(' and ')} ×`;
    const executed = pick(samples, model, factorsOf(samples)).reduce(
      (sum, one) => sum + one.executedExpired,
      0,
    );
    return [
      atLeast(`${name}: goodput, of peak`, 95, good, '%'),
      atMost(
        `${name}: p99 of the admitted, the deadline`,
        timeoutMs,
        worst((one) => one.admittedP99Ms),
        'ms',
      ),
      atMost(
        `${name}: p99 of refusals, at the client`,
        REFUSE_MS,
        worst((one) => one.refusedP99Ms),
        'ms',
      ),
      atMost(
        `${name}: p99 of refusals, by the server`,
        REFUSE_MS,
        worst((one) => one.serverRefusedP99Ms),
        'ms',
      ),
      atMost(
        `${name}: slowest refusal of all, at the client`,
        REFUSE_MS,
        mostOf(groups.flat(), (one) => one.refusedMostMs),
        'ms',
      ),
      atMost(`overload, ${model}, any load: rows executed after their deadline`, 0, executed),
    ];
  });
}

/** The most that was ever answered per second: without deadlines, or in time under any load. */
function peakOf({ model, perSecond }: Capacity, samples: readonly OverloadSample[]): number {
  const goodputs = factorsOf(samples).map((factor) => goodputOf(pick(samples, model, [factor])));
  return Math.max(perSecond, ...goodputs);
}

function goodputOf(samples: readonly OverloadSample[]): number {
  return median(samples.map(({ goodPerSecond }) => goodPerSecond));
}

function mostOf(samples: readonly OverloadSample[], of: (one: OverloadSample) => number): number {
  const figures = samples.map(of).filter((figure) => !Number.isNaN(figure));
  return figures.length === 0 ? NaN : Math.max(...figures);
}

function pick(
  samples: readonly OverloadSample[],
  model: string,
  factors: readonly number[],
): OverloadSample[] {
  return samples.filter((one) => one.model === model && factors.includes(one.factor));
}

function factorsOf(samples: readonly OverloadSample[]): number[] {
  return [...new Set(samples.map(({ factor }) => factor))].sort((a, b) => a - b);
}
