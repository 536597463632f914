import { type Aim, atLeast, atMost } from '../aim.js';
import { formatFigure, formatTable, median } from '../table.js';
import type { Sample } from './pair.js';
import type { Transport } from './stack.js';

/** A picture of 1×3×224×224 float32. */
export const PICTURE_BYTES = 3 * 224 * 224 * 4;

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

/** Small calls beside other stacks, and pictures beside the raw socket, on each kind of socket. */
export function aimsOf(cells: readonly Cell[], ours: string): Aim[] {
  const transports = [...new Set(cells.map(({ transport }) => transport))];
  return transports.flatMap((transport) => {
    const times = (stack: string, bytes: number, concurrency: number): number => {
      const [own, other] = [ours, stack].map((name) =>
        cells.find(
          (cell) =>
            cell.stack === name &&
            cell.transport === transport &&
            cell.bytes === bytes &&
            cell.concurrency === concurrency,
        ),
      );
      return (other?.cpu ?? NaN) / (own?.cpu ?? NaN);
    };
    const small = (stack: string): string =>
      `hop, ${transport}, 16 B, 16 at a time: CPU of ${stack}, times ours`;
    const large = cells.filter(
      (cell) => cell.stack === ours && cell.transport === transport && cell.bytes === PICTURE_BYTES,
    );
    return [
      atLeast(small('undici → node:http'), 5, times('undici → node:http', 16, 16)),
      atLeast(small('grpc-js unary'), 20, times('grpc-js unary', 16, 16)),
      ...large.map(({ concurrency }) =>
        atMost(
          `hop, ${transport}, 588 KiB, ${concurrency} at a time: our CPU, times that of a raw socket`,
          2,
          1 / times('raw socket', PICTURE_BYTES, concurrency),
        ),
      ),
    ];
  });
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
