import { parseArgs } from 'node:util';
import { COST } from '../../services/timed/cost.js';
import { LoadProcess } from '../load/load-process.js';
import { mean } from '../quantile.js';
import { logBetween, readLog } from '../read-log.js';
import { describeMachine, publish } from '../results.js';
import { startChain } from '../server-under-test.js';
import { realDispatcher } from '../simulate/policies/dispatcher.js';
import type { Scenario } from '../simulate/scenario.js';
import { simulate } from '../simulate/simulate.js';
import { type AgreeSample, aimsOf, formatAgree, type World } from './report.js';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    seconds: { type: 'string' },
    'no-results': { type: 'boolean', default: false },
  },
});
const measureMs = 1000 * Number(values.seconds ?? (values.quick ? 2 : 20));
const warmUpMs = values.quick ? 1000 : 4000;
/** Pause of a closed loop's client between an answer and its next request. */
const PAUSE_MS = 5;
const clients = values.quick ? [8] : [1, 8, 32];
const { fixedMs, perRowMs, maxBatchSize } = COST;
const capacity = (1000 * maxBatchSize) / (fixedMs + perRowMs * maxBatchSize);
/** Sparse, what one by one could just not do, and shares of what full batches can do. */
const rates = values.quick ? [110] : [10, 110, 220, 350];

const machine = describeMachine();
const samples: AgreeSample[] = [];
const load = new LoadProcess();
const server = await startChain({
  name: 'timed',
  service: 'tools/bench/services/timed/service.ts:service',
  runners: ['timed'],
  flags: ['--no-access-log'],
});
const { url } = server;
const closed = { url, path: '/run', exchanges: [{ body: '{}', answer: '{"ok":true}' }] };
const wayMs = await measureWay();
try {
  for (const perSecond of rates) {
    const seed = perSecond;
    const real = await watch(`${perSecond}/s Poisson`, async () => {
      const durationMs = warmUpMs + measureMs;
      const all = await load.open({ url, path: '/run', bodies: ['{}'], perSecond, durationMs, seed });
      const ended = all.filter(({ endedMs }) => endedMs > warmUpMs && endedMs <= durationMs);
      if (ended.some(({ status }) => status !== 200)) throw new Error('a request failed');
      return {
        perSecond: (ended.length / measureMs) * 1000,
        meanMs: mean(ended.map(({ timing }) => timing?.runnerMs ?? NaN)),
        clientMs: mean(ended.map(({ sentMs, endedMs }) => endedMs - sentMs)),
      };
    });
    await compare(real, { kind: 'poisson', perSecond }, seed);
  }
  for (const connections of clients) {
    const loop = { ...closed, connections, returnMs: PAUSE_MS };
    await load.closed({ ...loop, durationMs: warmUpMs });
    const real = await watch(`${connections} clients`, async () => {
      const { requests, wallMs, meanMs, runnerMeanMs } = await load.closed({
        ...loop,
        durationMs: measureMs,
      });
      return { perSecond: (requests / wallMs) * 1000, meanMs: runnerMeanMs, clientMs: meanMs };
    });
    await compare(real, { kind: 'closed', clients: connections, returnMs: PAUSE_MS + wayMs }, 1);
  }
} finally {
  load.stop();
  await server.stop();
}
await publish(
  {
    name: 'agree',
    machine,
    text:
      `a batch of n rows takes ${fixedMs} + ${perRowMs}·n ms, at most ${maxBatchSize} rows (${capacity.toFixed(0)}/s); ` +
      `the way there and back takes ${wayMs.toFixed(2)} ms\nrequests/s · mean ms · mean batch\n\n${formatAgree(samples)}`,
    aims: aimsOf(samples),
    raw: { measureMs, warmUpMs, wayMs, cost: COST, samples },
  },
  { quick: values.quick, keep: !values['no-results'] },
);

/** What a lone request takes beside the model: the simulation knows no way between client and queue. */
async function measureWay(): Promise<number> {
  await load.closed({ ...closed, connections: 1, durationMs: 500 });
  const { p50Ms } = await load.closed({ ...closed, connections: 1, durationMs: 1000 });
  return Math.max(0, p50Ms - fixedMs - perRowMs);
}

interface Watched {
  readonly load: string;
  readonly real: World;
  readonly clientMs: number;
  readonly batchMs: number;
}

/** Runs a load, and reads in the model's own log what it did meanwhile. */
async function watch(
  name: string,
  run: () => Promise<Omit<World, 'meanBatch'> & { readonly clientMs: number }>,
): Promise<Watched> {
  const before = await readLog(url);
  const { clientMs, ...world } = await run();
  const { rows, batches, busyMs } = logBetween(before, await readLog(url));
  return { load: name, real: { ...world, meanBatch: rows / batches }, clientMs, batchMs: busyMs / batches };
}

async function compare(
  { load: name, real, clientMs, batchMs }: Watched,
  how: Scenario['load'],
  seed: number,
): Promise<void> {
  const cost = { fixedMs, perRowMs, noise: 0 };
  const scenario = { name, cost, maxBatchSize, load: how, warmUpMs, measureMs, seed };
  const { perSecond, meanMs, meanBatch } = await simulate(scenario, realDispatcher);
  const plannedBatchMs = fixedMs + perRowMs * real.meanBatch;
  samples.push({
    load: name,
    simulated: { perSecond, meanMs, meanBatch },
    real,
    clientMs,
    batchMs,
    plannedBatchMs,
  });
  console.error(`measured ${name}`);
}
