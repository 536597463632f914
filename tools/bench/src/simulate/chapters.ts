import { formatFigure } from '../table.js';
import { corkDispatcher } from './policies/cork.js';
import { realDispatcher } from './policies/dispatcher.js';
import { fixedWindow } from './policies/fixed-window.js';
import { idleDispatch } from './policies/idle-dispatch.js';
import { maxQueueDelay } from './policies/max-queue-delay.js';
import { noBatching } from './policies/none.js';
import { oracle } from './policies/oracle.js';
import { anyWorker, leastOutstanding, roundRobin, spreadOver } from './policies/spread.js';
import type { Policy } from './policy.js';
import { listScenarios, type Outcome, type Scenario } from './scenario.js';

/** One table: what it shows, which policies in which scenarios, and what a cell says. */
export interface Chapter {
  readonly title: string;
  readonly scenarios: readonly Scenario[];
  readonly policies: readonly Policy[];
  readonly legend: string;
  cell(outcome: Outcome): string;
}

/** What all chapters are made with. */
export interface ChapterOptions {
  readonly seed: number;
  /** Virtual time that is measured in each cell of a quick model. */
  readonly measureMs: number;
}

const figures = (...values: readonly number[]): string => values.map(formatFigure).join(' · ');

const batchers = [
  noBatching,
  fixedWindow(10),
  fixedWindow(2),
  maxQueueDelay(1),
  corkDispatcher(),
  idleDispatch,
  realDispatcher,
  oracle,
];

/** All tables, in the order in which they are printed. */
export function listChapters(options: ChapterOptions): readonly Chapter[] {
  return [
    ...listModels(options),
    describeBurst(options),
    describeOverload(options, 1),
    describeOverload(options, 4),
    ...describeWorkers(options),
    describePriorities(options),
  ];
}

/** One worker, nobody in a hurry: a table for each model and kind of load. */
function listModels(options: ChapterOptions): readonly Chapter[] {
  const scenarios = listScenarios(options);
  return ['heavy', 'light', 'steep'].flatMap((model) =>
    (['closed', 'poisson'] as const).map((kind) => {
      const chosen = scenarios.filter(({ name, load }) => name.startsWith(model) && load.kind === kind);
      const { fixedMs = 0, perRowMs = 0 } = chosen[0]?.cost ?? {};
      return {
        title: `${model} model, ${fixedMs} + ${perRowMs} · rows ms, ${kind === 'closed' ? 'closed-loop clients' : 'open loop'}`,
        scenarios: chosen,
        policies: batchers,
        legend: 'answers/s · mean ms · p99 ms · mean batch',
        cell: ({ perSecond, meanMs, p99Ms, meanBatch, refused }) =>
          `${figures(perSecond, meanMs, p99Ms, meanBatch)}${refused > 0 ? ` (${refused} refused)` : ''}`,
      };
    }),
  );
}

const heavy = { cost: { fixedMs: 5, perRowMs: 0.05, noise: 0.05 }, maxBatchSize: 100, warmUpMs: 3000 };

/** One client that stays when the others leave at once: is he served as if they had never been there? */
function describeBurst({ seed, measureMs }: ChapterOptions): Chapter {
  const burst = (clients: number): Scenario => ({
    ...heavy,
    name: `burst: after ${clients - 1} others`,
    load: { kind: 'closed', clients, returnMs: 0.3, staying: 1 },
    measureMs,
    seed,
  });
  return {
    title: 'heavy model, one closed-loop client right after the others have left',
    scenarios: [1, 16, 64, 128].map(burst),
    policies: [noBatching, corkDispatcher(), idleDispatch, realDispatcher],
    legend: 'p50 ms · mean ms · p99 ms',
    cell: ({ p50Ms, meanMs, p99Ms }) => figures(p50Ms, meanMs, p99Ms),
  };
}

/** More than can be done, every caller with a deadline. */
function describeOverload({ seed, measureMs }: ChapterOptions, workers: number): Chapter {
  const capacity = (workers * 1000 * heavy.maxBatchSize) / (heavy.cost.fixedMs + heavy.cost.perRowMs * 100);
  const overload = (deadlineMs: number, times: number): Scenario => ({
    ...heavy,
    name: `overload, ${workers} workers: ${times} × capacity, ${deadlineMs} ms`,
    workers,
    deadlineMs,
    load: { kind: 'poisson', perSecond: times * capacity },
    measureMs: measureMs / 2,
    seed,
  });
  return {
    title: `heavy model in overload, open loop of requests with deadlines, ${workers} worker${workers > 1 ? 's' : ''}: capacity ${capacity}/s`,
    scenarios: [25, 100].flatMap((deadlineMs) => [0.9, 2, 5].map((times) => overload(deadlineMs, times))),
    policies: [
      ...(workers === 1 ? [fixedWindow(10), corkDispatcher(25), corkDispatcher(100)] : []),
      idleDispatch,
      realDispatcher,
    ],
    legend: 'answers in time/s · p99 ms of the answered · ms until the last refusal · begun too late',
    cell: ({ goodPerSecond, p99Ms, refusedMaxMs, executedExpired }) =>
      figures(goodPerSecond, p99Ms, refusedMaxMs, executedExpired),
  };
}

/** Four workers: one queue from which a free one pulls, or a queue for each. */
function describeWorkers({ seed, measureMs }: ChapterOptions): readonly Chapter[] {
  const models = { heavy: [5, 0.05, 1], light: [1, 0.05, 1], steep: [20, 2, 4] } as const;
  return Object.entries(models).map(([model, [fixedMs, perRowMs, stretch]]) => {
    const common = {
      ...heavy,
      cost: { fixedMs, perRowMs, noise: 0.05 },
      workers: 4,
      warmUpMs: heavy.warmUpMs * stretch,
      measureMs: (measureMs * stretch) / 2,
      seed,
    };
    const capacity = (4 * 1000 * 100) / (fixedMs + perRowMs * 100);
    const closed = [16, 64, 256].map((clients) => ({
      ...common,
      name: `${model}, 4 workers: ${clients} closed`,
      load: { kind: 'closed' as const, clients, returnMs: 0.3 },
    }));
    const open = [0.05, 0.25, 0.8].map((share) => ({
      ...common,
      name: `${model}, 4 workers: ${Number((share * capacity).toPrecision(2))}/s Poisson`,
      load: { kind: 'poisson' as const, perSecond: share * capacity },
    }));
    return {
      title: `${model} model, ${fixedMs} + ${perRowMs} · rows ms, four workers`,
      scenarios: [...closed, ...open],
      policies: [
        idleDispatch,
        spreadOver('in turn', roundRobin, realDispatcher),
        spreadOver('any', anyWorker, realDispatcher),
        spreadOver('the least busy', leastOutstanding, realDispatcher),
        realDispatcher,
      ],
      legend: 'answers/s · mean ms · p99 ms · mean batch',
      cell: ({ perSecond, meanMs, p99Ms, meanBatch }) => figures(perSecond, meanMs, p99Ms, meanBatch),
    };
  });
}

/** A tenth in a hurry, a third with time. */
function describePriorities({ seed, measureMs }: ChapterOptions): Chapter {
  const priorities = (times: number): Scenario => ({
    ...heavy,
    name: `priorities: ${times} × capacity`,
    priorities: { high: 0.1, low: 0.3 },
    deadlineMs: 200,
    load: { kind: 'poisson', perSecond: times * 10_000 },
    measureMs: measureMs / 2,
    seed,
  });
  return {
    title: 'heavy model, open loop, 10 % of high and 30 % of low priority, deadlines of 200 ms',
    scenarios: [0.5, 0.9, 1.5].map(priorities),
    policies: [idleDispatch, realDispatcher],
    legend: 'mean ms of high · normal · low · answers in time/s',
    cell: ({ meanMsBy: { high, normal, low }, goodPerSecond }) => figures(high, normal, low, goodPerSecond),
  };
}
