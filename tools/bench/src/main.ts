import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { formatAims } from './aim.js';
import { untilIdle } from './machine-idle.js';
import { benches, fillPage, formatMachine, readSections } from './page.js';
import { type Kept, readResults } from './results.js';

const page = new URL('../../../docs/performance.md', import.meta.url);

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: benches.join() },
    /** Before each bench, wait until nobody else has used the machine for ten seconds. */
    'wait-for-idle': { type: 'boolean', default: false },
    /** Run nothing: the table of what was measured last. */
    kept: { type: 'boolean', default: false },
    /** Write the figures that are kept into docs/performance.md. */
    page: { type: 'boolean', default: false },
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
const table = formatAims(results.flatMap(({ aims }) => aims));
console.log(`\n${table}\n\n${results.map(formatMachine).join('\n')}`);
if (values.page) await writeFile(page, fillPage(await readFile(page, 'utf8'), await readSections()));

/** Each has processes of its own: the garbage of one is in no other's figures. */
async function run(name: string): Promise<void> {
  const main = fileURLToPath(new URL(`./${name}/main.ts`, import.meta.url));
  const args = ['--import', 'tsx', main, ...(values.quick ? ['--quick'] : [])];
  const [code] = await once(spawn(process.execPath, args, { stdio: 'inherit' }), 'exit');
  if (code !== 0) throw new Error(`the bench '${name}' ended with ${code}`);
}

async function read(name: string): Promise<Kept & { readonly name: string }> {
  const kept = await readResults(values.quick ? `${name}-quick` : name);
  return { name, ...(kept as Kept) };
}
