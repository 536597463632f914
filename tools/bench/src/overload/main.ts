import { parseArgs } from 'node:util';
import { LoadProcess } from '../load/load-process.js';
import { learnExchanges, startMlp } from '../mlp.js';
import { logBetween, readLog } from '../read-log.js';
import { describeMachine, publish } from '../results.js';
import { type ServerUnderTest, startChain } from '../server-under-test.js';
import { judge } from './judge.js';
import { aimsOf, type Capacity, formatOverload, type OverloadSample } from './report.js';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    'round-ms': { type: 'string' },
    models: { type: 'string' },
    'no-results': { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds ?? (values.quick ? 1 : 3));
const durationMs = Number(values['round-ms'] ?? (values.quick ? 2000 : 10_000));
/** Of each open loop; the queue is filling. */
const warmUpMs = durationMs / 10;
const factors = values.quick ? [0.8, 2] : [0.8, 1, 2, 5];
/** A model under load. */
interface Subject {
  readonly model: string;
  /** Of one request. */
  readonly rows: number;
  /** Enough closed loops to fill every batch. */
  readonly connections: number;
  start(): Promise<ServerUnderTest>;
}

const timedService = 'tools/bench/services/timed/service.ts:service';
const startTimed = (): Promise<ServerUnderTest> =>
  startChain({ name: 'timed', service: timedService, runners: ['timed'], flags: ['--no-access-log'] });
const subjects: Subject[] = [
  { model: 'timed', rows: 1, connections: 128, start: startTimed },
  // Eight rows each, so that five times of what it can do is within what the rest of the chain can.
  { model: 'mlp', rows: 8, connections: 32, start: () => startMlp('overload', ['batched']) },
].filter(({ model }) => (values.models ?? (values.quick ? 'timed' : 'timed,mlp')).split(',').includes(model));

const machine = describeMachine();
const capacities: Capacity[] = [];
const samples: OverloadSample[] = [];
const load = new LoadProcess();
try {
  for (const subject of subjects) {
    const server = await subject.start();
    try {
      await overload(subject, server.url);
    } finally {
      await server.stop();
    }
  }
} finally {
  load.stop();
}
await publish(
  {
    name: 'overload',
    machine,
    text: `${capacities.map(formatCapacity).join('\n')}\n\n${formatOverload(capacities, samples)}`,
    aims: aimsOf(capacities, samples),
    raw: { rounds, durationMs, warmUpMs, capacities, samples },
  },
  { quick: values.quick, keep: !values['no-results'] },
);

async function overload({ model, rows, connections }: Subject, url: string): Promise<void> {
  const exchanges = await learnExchanges(url, '/run', rows);
  const closed = { url, path: '/run', exchanges, connections };
  await load.closed({ ...closed, durationMs: durationMs / 4 });
  const before = await readLog(url);
  const { requests, wallMs } = await load.closed({ ...closed, durationMs });
  const { batches, busyMs } = logBetween(before, await readLog(url));
  const batchMs = busyMs / batches;
  const perSecond = (requests / wallMs) * 1000;
  const timeoutMs = Math.ceil(10 * batchMs);
  capacities.push({ model, perSecond, batchMs, timeoutMs });
  const bodies = exchanges.map(({ body }) => body);
  // As many as can be admitted and some that are being refused; more would be opened when it takes them.
  const open = Math.ceil((1.2 * perSecond * timeoutMs) / 1000);
  for (let round = 1; round <= rounds; round++) {
    for (const factor of round % 2 === 1 ? factors : factors.toReversed()) {
      const log = await readLog(url);
      const rate = { perSecond: factor * perSecond, durationMs, seed: round };
      const sent = await load.open({ url, path: '/run', bodies, timeoutMs, connections: open, ...rate });
      const executed = logBetween(log, await readLog(url));
      samples.push({
        ...{ model, factor, round },
        ...judge(sent, warmUpMs, durationMs, timeoutMs),
        executedExpired: executed.expired,
        executedLate: executed.late,
        meanBatch: executed.rows / executed.batches,
      });
      console.error(`measured ${model} at ${factor} times its capacity`);
    }
  }
}

function formatCapacity({ model, perSecond, batchMs, timeoutMs }: Capacity): string {
  const figures = `${perSecond.toFixed(0)} requests/s, ${batchMs.toFixed(1)} ms a batch`;
  return `${model}: closed loops get ${figures}; deadline ${timeoutMs} ms`;
}
