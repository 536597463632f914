import { parseArgs } from 'node:util';
import { WORK_MS } from '../../services/uneven/work-ms.js';
import { LoadProcess } from '../load/load-process.js';
import { describeMachine, publish } from '../results.js';
import { startChain } from '../server-under-test.js';
import { aimsOf, type BalanceSample, countBalance, formatBalance } from './report.js';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    'round-ms': { type: 'string' },
    'no-results': { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds ?? (values.quick ? 1 : 3));
const durationMs = Number(values['round-ms'] ?? (values.quick ? 2000 : 10_000));
/** What turns can just bear: the slow worker is busy 80 % of its time. And what they cannot, but the workers can. */
const loads = [60, 160];
const ways = ['turns', 'pool'] as const;

const machine = describeMachine();
const samples: BalanceSample[] = [];
const load = new LoadProcess();
const server = await startChain({
  name: 'uneven',
  service: 'tools/bench/services/uneven/service.ts:service',
  runners: ['pool', ...WORK_MS.map((_, i) => `turn_${i}`)],
  flags: ['--no-access-log'],
});
try {
  for (const perSecond of loads) {
    // The first round warms up. The others alternate, so that what disturbs the machine disturbs both alike.
    for (let round = 0; round <= rounds; round++) {
      for (const way of round % 2 === 0 ? ways : ways.toReversed()) {
        const rate = { perSecond, durationMs: round === 0 ? 1000 : durationMs, seed: round };
        const sent = await load.open({ url: server.url, path: `/${way}`, bodies: ['{}'], ...rate });
        if (round > 0) samples.push({ way, perSecond, round, ...countBalance(sent) });
      }
    }
    console.error(`measured ${perSecond} calls a second`);
  }
} finally {
  load.stop();
  await server.stop();
}
const speeds = WORK_MS.map((workMs) => `${workMs} ms`).join(', ');
await publish(
  {
    name: 'balance',
    machine,
    text: `workers that take ${speeds} for a call, Poisson arrivals, middle of ${rounds} rounds\n\n${formatBalance(samples)}`,
    aims: aimsOf(samples),
    raw: { rounds, durationMs, workMs: WORK_MS, samples },
  },
  { quick: values.quick, keep: !values['no-results'] },
);
