import { parseArgs } from 'node:util';
import { atMost } from '../aim.js';
import type { ClosedReport } from '../load/closed-loop.js';
import { LoadProcess } from '../load/load-process.js';
import { describeMachine, publish } from '../results.js';
import type { ServerUnderTest } from '../server-under-test.js';
import { formatFigure, formatTable, median } from '../table.js';
import { startBentots, startPlainFastify } from './servers.js';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    'round-ms': { type: 'string' },
    'no-results': { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds ?? (values.quick ? 1 : 5));
const durationMs = Number(values['round-ms'] ?? (values.quick ? 500 : 1500));

/** One measured round; CPU time is that of all processes of the server. */
interface Sample extends ClosedReport {
  readonly server: string;
  readonly load: string;
  readonly cpuMs: number;
}

const four = { exchanges: [{ body: '[1,2,3,4]', answer: '{"result":[1,4,9,22]}' }] };
const hello = { exchanges: [{ body: '{}', answer: '{"ok":true}' }] };
const loads = [
  { load: '/predict c=1', path: '/predict', ...four, connections: 1 },
  { load: '/predict c=32', path: '/predict', ...four, connections: 32 },
  { load: '/hello c=32 (no runner)', path: '/hello', ...hello, connections: 32 },
];

const machine = describeMachine();
const servers: ServerUnderTest[] = [];
const client = new LoadProcess();
const samples: Sample[] = [];

try {
  servers.push(await startPlainFastify('plain Fastify, one process'));
  servers.push(await startBentots('HTTP → runner, no access log', ['--no-access-log']));
  servers.push(await startBentots('HTTP → runner, access log', []));
  for (const { load, ...what } of loads) {
    // The first round warms up. The others alternate, so that what disturbs the machine disturbs all alike.
    for (let round = 0; round <= rounds; round++) {
      for (const [turn] of servers.entries()) {
        const server = servers[(turn + round) % servers.length];
        if (server === undefined) continue;
        const before = server.cpuMs();
        const report = await client.closed({ url: server.url, durationMs, ...what });
        const cpuMs = server.cpuMs() - before;
        if (round > 0) samples.push({ server: server.name, load, cpuMs, ...report });
      }
    }
    console.error(`measured ${load}`);
  }
} finally {
  client.stop();
  for (const server of servers) await server.stop();
}

const cellOf = (server: string, load: string): { cpu: number; text: string } => {
  const chosen = samples.filter((sample) => sample.server === server && sample.load === load);
  const cpus = chosen.map(({ cpuMs, requests }) => cpuMs / requests);
  const cpu = median(cpus);
  const perSecond = median(chosen.map(({ requests, wallMs }) => (requests / wallMs) * 1000));
  const [p50, p99] = [median(chosen.map(({ p50Ms }) => p50Ms)), median(chosen.map(({ p99Ms }) => p99Ms))];
  const figures = [perSecond, p50, p99].map(formatFigure).join(' · ');
  return { cpu, text: `${formatFigure(cpu)} (${formatFigure(Math.min(...cpus))}) · ${figures}` };
};
const [reference] = servers;
const rows = servers.map(({ name }) => [
  name,
  ...loads.map(({ load }) => {
    const cell = cellOf(name, load);
    const ratio = cell.cpu / cellOf(reference?.name ?? name, load).cpu;
    return `${cell.text} · ${formatFigure(ratio)} ×`;
  }),
]);
const [quietChain] = servers.slice(1);
const head = ['server', ...loads.map(({ load }) => load)];
await publish(
  {
    name: 'chain',
    machine,
    text:
      'CPU-s per 1000 requests, whole tree: median (best) · requests/s · p50 ms · p99 ms · times Fastify\n\n' +
      formatTable(head, rows),
    aims: [
      atMost(
        'whole chain: JSON of four floats, 32 clients, CPU-s per 1000 requests',
        0.1,
        cellOf(quietChain?.name ?? '', '/predict c=32').cpu,
      ),
    ],
    raw: { rounds, durationMs, samples },
  },
  { quick: values.quick, keep: !values['no-results'] },
);
