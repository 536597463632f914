import { parseArgs } from 'node:util';
import { describeMachine, keepResults } from '../results.js';
import { createCertificate } from './certificate.js';
import { disturb, type DrainSample, listTopologies } from './drain.js';
import { measureRecovery, type RecoverySample } from './recovery.js';
import { failuresOf, formatDrain, formatRecovery, formatSpread } from './report.js';
import { measureSpread, type SpreadSample } from './spread.js';
import { endTrees } from './tree.js';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '10' },
    only: { type: 'string', default: 'recovery,spread,drain' },
    topology: { type: 'string', default: '' },
    quick: { type: 'boolean', default: false },
    'no-results': { type: 'boolean', default: false },
  },
});
const parts = values.only.split(',');
const runs = values.quick ? 1 : Number(values.runs);

const began = performance.now();
const recovery: RecoverySample[] = [];
const spread: SpreadSample[] = [];
const drain: DrainSample[] = [];
const say = (what: string): void =>
  console.error(`${Math.round((performance.now() - began) / 1000)} s: ${what}`);

const certificate = await createCertificate();
try {
  if (parts.includes('recovery')) await measure('recovery', recovery, recover);
  if (parts.includes('spread')) await measure('spread', spread, spreadOut);
  if (parts.includes('drain')) await measure('drain', drain, drainAll);
} finally {
  await endTrees();
  await certificate.remove();
}

if (recovery.length > 0) console.log(`\nkill -9 of a worker: middle (most)\n\n${formatRecovery(recovery)}`);
if (spread.length > 0) {
  console.log(
    `\nConnections of each worker, middle round · the busiest's share in the worst\n\n${formatSpread(spread)}`,
  );
}
if (drain.length > 0) console.log(`\nUnder load, ${runs} runs in a row\n\n${formatDrain(drain)}`);
for (const { scheme, clients, accept, disturbance, run, mishaps } of drain) {
  for (const what of mishaps)
    console.log(`  ${scheme} ${clients}, ${accept}, ${disturbance} ${run}: ${what}`);
}
if (failuresOf(drain) > 0) process.exitCode = 1;

/** Measures one part, and keeps its results with the facts about the machine at its time. */
async function measure(part: string, samples: readonly unknown[], work: () => Promise<void>): Promise<void> {
  const machine = describeMachine();
  const startedAt = performance.now();
  await work();
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  const { node, cores, cpu, loadAverage } = machine;
  console.log(`${part}: ${seconds} s, ${node}, ${cores} × ${cpu}, load average ${loadAverage} at the start`);
  if (values['no-results'] || values.quick) return;
  console.log(`raw results: ${await keepResults(`supervise-${part}`, { machine, seconds, samples })}`);
}

async function recover(): Promise<void> {
  const [trees, workers, crashes] = values.quick ? [1, 1, 1] : [2, 4, 2];
  for (let tree = 1; tree <= trees; tree += 1) {
    recovery.push(...(await measureRecovery(workers, crashes)));
    say(`killed ${recovery.length} workers`);
  }
}

async function spreadOut(): Promise<void> {
  const full = { kept: 64, fresh: 400, atOnce: 16, rounds: 3 };
  const size = values.quick ? { kept: 16, fresh: 32, atOnce: 8, rounds: 1 } : full;
  for (const workers of values.quick ? [2] : [2, 4]) {
    for (const accept of values.quick ? (['balanced'] as const) : (['shared', 'balanced'] as const)) {
      spread.push(...(await measureSpread(workers, accept, certificate, size)));
      say(`connected to ${workers} workers, ${accept}`);
    }
  }
}

async function drainAll(): Promise<void> {
  const chosen = values.quick ? 'streams, swapped' : values.topology;
  const all = listTopologies(certificate).filter(({ name }) => name.startsWith(chosen));
  for (let run = 1; run <= runs; run += 1) {
    for (const topology of all) {
      drain.push(...(await disturb(topology, run, values.quick ? 10 : 100)));
      say(`run ${run} of ${topology.name}: ${failuresOf(drain)} failed so far`);
    }
  }
}
