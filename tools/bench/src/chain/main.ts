import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { describeMachine, keepResults } from '../results.js';
import { formatFigure, formatTable, median } from '../table.js';
import type { HttpLoad, HttpReport } from './client.js';
import { type ServerUnderTest, startBentots, startPlainFastify } from './server-under-test.js';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    'round-ms': { type: 'string', default: '1500' },
    'no-results': { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds);
const durationMs = Number(values['round-ms']);

/** One measured round; CPU time is that of all processes of the server. */
interface Sample extends HttpReport {
  readonly server: string;
  readonly load: string;
  readonly cpuMs: number;
}

const four = { body: '[1,2,3,4]', answer: '{"result":[1,4,9,22]}' };
const loads = [
  { load: '/predict c=1', path: '/predict', ...four, connections: 1 },
  { load: '/predict c=32', path: '/predict', ...four, connections: 32 },
  { load: '/hello c=32 (no runner)', path: '/hello', body: '{}', answer: '{"ok":true}', connections: 32 },
];

const machine = describeMachine();
const servers: ServerUnderTest[] = [];
const client = fork(fileURLToPath(new URL('./client-main.ts', import.meta.url)));
const samples: Sample[] = [];

function send(load: HttpLoad): Promise<HttpReport> {
  client.send(load);
  return new Promise((resolve, reject) => {
    const ended = (): void => reject(new Error('the client ended; see its error above'));
    client.once('exit', ended);
    client.once('message', (report) => {
      client.off('exit', ended);
      resolve(report as HttpReport);
    });
  });
}

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
        const report = await send({ url: server.url, durationMs, ...what });
        const cpuMs = server.cpuMs() - before;
        if (round > 0) samples.push({ server: server.name, load, cpuMs, ...report });
      }
    }
    console.error(`measured ${load}`);
  }
} finally {
  client.kill();
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
console.log(
  'CPU-s per 1000 requests, whole tree: median (best) · requests/s · p50 ms · p99 ms · times Fastify\n',
);
console.log(formatTable(['server', ...loads.map(({ load }) => load)], rows));
console.log(
  `\n${machine.node}, ${machine.cores} × ${machine.cpu}, load average ${machine.loadAverage} at the start`,
);
if (!values['no-results']) {
  console.log(`raw results: ${await keepResults('chain', { machine, rounds, durationMs, samples })}`);
}
