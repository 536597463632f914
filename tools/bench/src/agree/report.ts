import { type Aim, atMost } from '../aim.js';
import { formatFigure, formatTable } from '../table.js';

/** What a load came to, in either world. */
export interface World {
  readonly perSecond: number;
  /** From the arrival at the queue to the answer. */
  readonly meanMs: number;
  readonly meanBatch: number;
}

/** The same load simulated and on real processes. */
export interface AgreeSample {
  readonly load: string;
  readonly simulated: World;
  readonly real: World;
  /** Mean latency at the client, which is further away than the simulated ones. */
  readonly clientMs: number;
  /** What a batch took, and what one of its size should take. */
  readonly batchMs: number;
  readonly plannedBatchMs: number;
}

const figures = ['perSecond', 'meanMs', 'meanBatch'] as const;
const words = { perSecond: 'throughput', meanMs: 'mean latency', meanBatch: 'mean batch' } as const;
/** In percent. */
const LIMIT = 10;

/** How far the real figure is from the simulated one, in percent of it. */
export function deviation(sample: AgreeSample, figure: keyof World): number {
  return 100 * (sample.real[figure] / sample.simulated[figure] - 1);
}

/** One row for each load: simulated, real, and how far they are apart. */
export function formatAgree(samples: readonly AgreeSample[]): string {
  const world = ({ perSecond, meanMs, meanBatch }: World): string =>
    [perSecond, meanMs, meanBatch].map(formatFigure).join(' · ');
  const rows = samples.map((sample) => [
    sample.load,
    world(sample.simulated),
    world(sample.real),
    formatFigure(sample.clientMs),
    figures.map((figure) => `${deviation(sample, figure).toFixed(1)} %`).join(' · '),
    `${formatFigure(sample.batchMs)} (${formatFigure(sample.plannedBatchMs)})`,
  ]);
  const head = [
    'load',
    'simulated',
    'real',
    'at the client ms',
    'real against simulated',
    'a batch took (should) ms',
  ];
  return formatTable(head, rows);
}

/** The worst load for each figure. */
export function aimsOf(samples: readonly AgreeSample[]): Aim[] {
  return figures.map((figure) => {
    const worst = Math.max(...samples.map((sample) => Math.abs(deviation(sample, figure))));
    return atMost(`simulation against real processes: ${words[figure]}, worst load`, LIMIT, worst, '%');
  });
}
