import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Aim, formatAims } from './aim.js';
import { untilIdle } from './machine-idle.js';
import { type MachineFacts, readResults } from './results.js';

/** Benches with aims, in the order of the table. */
const benches = ['hop', 'chain', 'batching', 'lone', 'overload', 'agree', 'balance'];

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: benches.join() },
    /** Before each bench, wait until nobody else has used the machine for ten seconds. */
    'wait-for-idle': { type: 'boolean', default: false },
    /** Run nothing: the table of what was measured last. */
    kept: { type: 'boolean', default: false },
  },
});
const chosen = values.only.split(',');
const unknown = chosen.find((name) => !benches.includes(name));
if (unknown !== undefined) throw new Error(`no bench '${unknown}'; there are ${benches.join(', ')}`);

for (const name of values.kept ? [] : chosen) {
  if (values['wait-for-idle']) await untilIdle();
  await run(name);
}

const results = await Promise.all(chosen.map(read));
console.log(`\n${formatAims(results.flatMap(({ aims }) => aims))}\n`);
for (const { name, machine } of results) {
  const { takenAt, node, cores, cpu, loadAverage } = machine;
  console.log(`${name}: ${takenAt.slice(0, 16)}, ${node}, ${cores} × ${cpu}, load average ${loadAverage}`);
}

/** Each has processes of its own: the garbage of one is in no other's figures. */
async function run(name: string): Promise<void> {
  const main = fileURLToPath(new URL(`./${name}/main.ts`, import.meta.url));
  const args = ['--import', 'tsx', main, ...(values.quick ? ['--quick'] : [])];
  const [code] = await once(spawn(process.execPath, args, { stdio: 'inherit' }), 'exit');
  if (code !== 0) throw new Error(`the bench '${name}' ended with ${code}`);
}

async function read(name: string): Promise<{ name: string; machine: MachineFacts; aims: readonly Aim[] }> {
  const kept = await readResults(values.quick ? `${name}-quick` : name);
  const { machine, aims } = kept as { machine: MachineFacts; aims: readonly Aim[] };
  return { name, machine, aims };
}
