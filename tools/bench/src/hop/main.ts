import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeMachine, publish } from '../results.js';
import { Pair, type Sample } from './pair.js';
import { aimsOf, formatReport, PICTURE_BYTES, summarize } from './report.js';
import { stacks } from './stacks/list.js';

const { values } = parseArgs({
  options: {
    /** Fewer and shorter rounds: under a minute. */
    quick: { type: 'boolean', default: false },
    /** 10 MiB as well. */
    large: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    'round-ms': { type: 'string' },
    'no-results': { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds ?? (values.quick ? 3 : 5));
const roundMs = Number(values['round-ms'] ?? (values.quick ? 80 : 250));
const sizes = [16, 4096, PICTURE_BYTES, ...(values.large ? [10 * 1024 * 1024] : [])];
const concurrencies = [1, 16, 64];

const machine = describeMachine();
const samples: Sample[] = [];
for (const bytes of sizes) await measureSize(bytes);

/** Measures all cells of one size, in processes of their own: the garbage of other sizes is in nobody's figures. */
async function measureSize(bytes: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'hop-'));
  const pairs = stacks.flatMap((stack) => [new Pair(stack, 'unix'), new Pair(stack, 'tcp')]);
  try {
    await Promise.all(pairs.map((pair) => pair.start(folder)));
    // The compiler has seen the code before the first cell, which would else pay for it.
    for (const pair of pairs) await pair.measure({ bytes, concurrency: 16, durationMs: 2 * roundMs });
    for (const concurrency of concurrencies.filter((c) => bytes * c < 256 * 1024 * 1024)) {
      // The first round warms up. The others alternate, so that what disturbs the machine disturbs all alike.
      for (let round = 0; round <= rounds; round++) {
        for (const [turn] of pairs.entries()) {
          const pair = pairs[(turn + round) % pairs.length];
          const sample = await pair?.measure({ bytes, concurrency, durationMs: roundMs });
          if (sample !== undefined && round > 0) samples.push(sample);
        }
      }
      console.error(`measured ${bytes} B, ${concurrency} at a time`);
    }
  } finally {
    for (const pair of pairs) pair.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

const cells = summarize(samples);
await publish(
  {
    name: 'hop',
    machine,
    text: formatReport(cells, 'frames'),
    aims: aimsOf(cells, 'frames'),
    raw: { rounds, roundMs, cells, samples },
  },
  { quick: values.quick, keep: !values['no-results'] },
);
