import { parseArgs } from 'node:util';
import { LoadProcess } from '../load/load-process.js';
import { learnExchanges, startMlp } from '../mlp.js';
import { describeMachine, publish } from '../results.js';
import { aimsOf, formatLone, type LoneSample } from './report.js';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    'no-results': { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds ?? (values.quick ? 1 : 9));
/** The lone client asks in the very second behind the burst. */
const loneMs = values.quick ? 300 : 1000;
/** Into so many a second of the quiet client is cut. */
const SLICES = 4;
const burst = { connections: 64, durationMs: values.quick ? 300 : 1000 };
const models = [
  { model: 'mlp', off: 'off', on: 'batched' },
  { model: 'light', off: 'light_off', on: 'light_batched' },
];

const machine = describeMachine();
const samples: LoneSample[] = [];
const server = await startMlp(
  'lone',
  models.flatMap(({ off, on }) => [off, on]),
);
const load = new LoadProcess();
try {
  const { url } = server;
  for (const { model, off, on } of models) {
    const exchanges = await learnExchanges(url, `/${off}`);
    // The first round warms up. The others alternate, so that what disturbs the machine disturbs both alike.
    for (let round = 0; round <= rounds; round++) {
      for (const path of round % 2 === 0 ? [off, on] : [on, off]) {
        const ask = { url, path: `/${path}`, exchanges };
        const what = { model, batching: path === on, round };
        await load.closed({ ...ask, ...burst });
        const after = await load.closed({ ...ask, connections: 1, durationMs: loneMs });
        if (round > 0) samples.push({ ...what, moment: 'after a burst', ...after });
      }
      // Slices of a second, as a busy machine is not the same in the next one.
      for (let slice = 0; slice < SLICES; slice++) {
        for (const path of slice % 2 === 0 ? [off, on] : [on, off]) {
          const ask = { url, path: `/${path}`, exchanges, connections: 1 };
          const quiet = await load.closed({ ...ask, durationMs: loneMs / SLICES });
          const what = { model, batching: path === on, round: round + slice / SLICES };
          if (round > 0) samples.push({ ...what, moment: 'quiet', ...quiet });
        }
      }
    }
    console.error(`measured the ${model} model`);
  }
} finally {
  load.stop();
  await server.stop();
}
await publish(
  {
    name: 'lone',
    machine,
    text: `middle of ${rounds} rounds; burst: ${burst.connections} clients for ${burst.durationMs} ms\n\n${formatLone(samples)}`,
    aims: aimsOf(samples),
    raw: { rounds, loneMs, burst, samples },
  },
  { quick: values.quick, keep: !values['no-results'] },
);
