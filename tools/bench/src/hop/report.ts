import { formatFigure, formatTable, median } from '../table.js';
import type { Sample } from './pair.js';
import type { Transport } from './stack.js';

/** One cell: what a stack took for calls of one size and concurrency. */
export interface Cell {
  readonly stack: string;
  readonly transport: Transport;
  readonly bytes: number;
  readonly concurrency: number;
  /** CPU seconds of both processes per 1000 calls: the middle of the rounds, and the best of them. */
  readonly cpu: number;
  readonly bestCpu: number;
  /** Middle of the rounds; only an order of magnitude where other work shares the machine. */
  readonly callsPerSecond: number;
}

/** CPU seconds of both sides per 1000 calls, which are the CPU milliseconds of one. */
export function cpuOf({ clientCpuMs, serverCpuMs, calls }: Sample): number {
  return (clientCpuMs + serverCpuMs) / calls;
}

/** Rounds of the same kind become one cell each. */
export function summarize(samples: readonly Sample[]): Cell[] {
  const kinds = group(samples);
  return [...kinds.values()].flatMap((rounds) => {
    const [first] = rounds;
    if (first === undefined) return [];
    const { stack, transport, bytes, concurrency } = first;
    const cpus = rounds.map(cpuOf);
    const callsPerSecond = median(rounds.map(({ calls, wallMs }) => (calls / wallMs) * 1000));
    const what = { stack, transport, bytes, concurrency };
    return [{ ...what, cpu: median(cpus), bestCpu: Math.min(...cpus), callsPerSecond }];
  });
}

/** Two tables: absolute figures, and how many times the CPU of our frames each other stack takes. */
export function formatReport(cells: readonly Cell[], ours: string): string {
  const columns = [...new Set(cells.map(columnOf))];
  const rows = [...new Set(cells.map(rowOf))];
  const at = (row: string, column: string): Cell | undefined =>
    cells.find((cell) => rowOf(cell) === row && columnOf(cell) === column);
  const absolute = rows.map((row) => [
    row,
    ...columns.map((column) => {
      const cell = at(row, column);
      if (cell === undefined) return '';
      return `${formatFigure(cell.cpu)} (${formatFigure(cell.bestCpu)}) · ${formatFigure(cell.callsPerSecond)}`;
    }),
  ]);
  const ratios = rows
    .filter((row) => !row.startsWith(`${ours},`))
    .map((row) => [
      row,
      ...columns.map((column) => {
        const cell = at(row, column);
        const own = cell && at(`${ours}, ${cell.transport}`, column);
        return cell && own
          ? `${formatFigure(cell.cpu / own.cpu)} (${formatFigure(cell.bestCpu / own.bestCpu)})`
          : '';
      }),
    ]);
  return [
    'CPU-s per 1000 calls, both processes: median (best) · calls/s',
    formatTable(['stack', ...columns], absolute),
    `times the CPU of ${ours} on the same kind of socket: of the medians (of the bests)`,
    formatTable(['stack', ...columns], ratios),
  ].join('\n\n');
}

function group(samples: readonly Sample[]): Map<string, Sample[]> {
  const groups = new Map<string, Sample[]>();
  for (const sample of samples) groups.set(keyOf(sample), [...(groups.get(keyOf(sample)) ?? []), sample]);
  return groups;
}

function keyOf(sample: Sample): string {
  return `${rowOf(sample)} ${columnOf(sample)}`;
}

function rowOf({ stack, transport }: { stack: string; transport: Transport }): string {
  return `${stack}, ${transport}`;
}

function columnOf({ bytes, concurrency }: { bytes: number; concurrency: number }): string {
  return `${bytes < 1024 ? `${bytes} B` : `${bytes / 1024} KiB`} c=${concurrency}`;
}
