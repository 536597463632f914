import { parseArgs } from 'node:util';
import { LoadProcess } from '../load/load-process.js';
import { learnExchanges, startMlp } from '../mlp.js';
import { describeMachine, publish } from '../results.js';
import { aimsOf, formatGain, type GainSample } from './report.js';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    'round-ms': { type: 'string' },
    'no-results': { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds ?? (values.quick ? 1 : 5));
const durationMs = Number(values['round-ms'] ?? (values.quick ? 500 : 3000));
const runners = ['single', 'batched'];

const machine = describeMachine();
const samples: GainSample[] = [];
const server = await startMlp('gain', runners);
const load = new LoadProcess();
try {
  const { url } = server;
  const exchanges = await learnExchanges(url, '/single');
  for (const connections of values.quick ? [1, 32] : [1, 8, 32, 64]) {
    // The first round warms up. The others alternate, so that what disturbs the machine disturbs both alike.
    for (let round = 0; round <= rounds; round++) {
      for (const runner of round % 2 === 0 ? runners : runners.toReversed()) {
        const before = server.cpuMs();
        const report = await load.closed({ url, path: `/${runner}`, exchanges, connections, durationMs });
        const cpuMs = server.cpuMs() - before;
        if (round > 0) samples.push({ runner, connections, round, cpuMs, ...report });
      }
    }
    console.error(`measured ${connections} clients`);
  }
} finally {
  load.stop();
  await server.stop();
}
await publish(
  {
    name: 'batching',
    machine,
    text: `requests/s · p50 ms · p99 ms, middle of ${rounds} rounds\n\n${formatGain(samples)}`,
    aims: aimsOf(samples),
    raw: { rounds, durationMs, samples },
  },
  { quick: values.quick, keep: !values['no-results'] },
);
