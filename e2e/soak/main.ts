import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runSoak } from './soak.js';

// `npm run soak`: see docs/life-of-a-process.md.
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '2' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    verbose: { type: 'boolean', default: false },
  },
});
const folder = mkdtempSync(join(tmpdir(), 'soak-'));
const faults = await runSoak({
  seed: Number(values.seed),
  durationMs: Number(values.minutes) * 60_000,
  folder,
  say: (line) => console.log(line),
  isVerbose: values.verbose,
});
if (faults.length === 0) {
  rmSync(folder, { recursive: true });
  console.log('soak: passed');
} else {
  for (const fault of faults) console.log(`  fault: ${fault}`);
  console.log(
    `soak: FAILED with ${faults.length} faults; again with --seed ${values.seed}; logs in ${folder}`,
  );
  process.exitCode = 1;
}
process.exit();
