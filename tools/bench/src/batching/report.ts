import { type Aim, atLeast, atMost } from '../aim.js';
import type { ClosedReport } from '../load/closed-loop.js';
import { formatFigure, formatTable, median } from '../table.js';

/** One round of one runner. */
export interface GainSample extends ClosedReport {
  readonly runner: string;
  readonly connections: number;
  readonly round: number;
  /** CPU milliseconds of all processes of the servers. */
  readonly cpuMs: number;
}

/** The middle of the rounds of one runner with one number of clients. */
interface Cell {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** CPU seconds per 1000 requests. */
  readonly cpu: number;
}

/** Both runners beside each other, and how many times the throughput and the p99 batching has. */
export function formatGain(samples: readonly GainSample[]): string {
  const rows = clientsOf(samples).map((connections) => {
    const [single, batched] = both(samples, connections);
    return [
      String(connections),
      formatCell(single),
      formatCell(batched),
      `${formatFigure(batched.perSecond / single.perSecond)} ×`,
      `${formatFigure(batched.p99Ms / single.p99Ms)} ×`,
      `${formatFigure(single.cpu)} → ${formatFigure(batched.cpu)}`,
    ];
  });
  const head = ['clients', 'one by one', 'up to 32 rows together', 'throughput', 'p99', 'CPU-s per 1000'];
  return formatTable(head, rows);
}

/** The gain of the largest load, and the worst p99 of all loads. */
export function aimsOf(samples: readonly GainSample[]): Aim[] {
  const clients = clientsOf(samples);
  const most = Math.max(...clients);
  const [single, batched] = both(samples, most);
  const worst = Math.max(
    ...clients.map((connections) => {
      const [one, many] = both(samples, connections);
      return many.p99Ms / one.p99Ms;
    }),
  );
  const gain = batched.perSecond / single.perSecond;
  return [
    atLeast(`batching: throughput of ${most} clients, times that of batch size 1`, 5, gain),
    atMost('batching: p99, times that of batch size 1, worst number of clients', 2, worst),
  ];
}

function clientsOf(samples: readonly GainSample[]): number[] {
  return [...new Set(samples.map(({ connections }) => connections))];
}

function both(samples: readonly GainSample[], connections: number): [Cell, Cell] {
  const cellOf = (runner: string): Cell => {
    const chosen = samples.filter((sample) => sample.runner === runner && sample.connections === connections);
    return {
      perSecond: median(chosen.map(({ requests, wallMs }) => (requests / wallMs) * 1000)),
      p50Ms: median(chosen.map(({ p50Ms }) => p50Ms)),
      p99Ms: median(chosen.map(({ p99Ms }) => p99Ms)),
      cpu: median(chosen.map(({ cpuMs, requests }) => cpuMs / requests)),
    };
  };
  return [cellOf('single'), cellOf('batched')];
}

function formatCell({ perSecond, p50Ms, p99Ms }: Cell): string {
  return [perSecond, p50Ms, p99Ms].map(formatFigure).join(' · ');
}
