import { parseArgs } from 'node:util';
import { describeMachine, keepResults } from '../results.js';
import { formatTable } from '../table.js';
import { listChapters } from './chapters.js';
import type { Outcome } from './scenario.js';
import { simulate } from './simulate.js';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    /** Virtual seconds that are measured in each cell. */
    seconds: { type: 'string', default: '6' },
    /** Only tables whose title contains this. */
    only: { type: 'string', default: '' },
    'no-results': { type: 'boolean', default: false },
  },
});

const seed = Number(values.seed);
const chapters = listChapters({ seed, measureMs: Number(values.seconds) * 1000 });
const outcomes: Outcome[] = [];

for (const { title, scenarios, policies, legend, cell } of chapters) {
  if (!title.includes(values.only)) continue;
  const rows: string[][] = [];
  for (const policy of policies) {
    const row: string[] = [policy.name];
    for (const scenario of scenarios) {
      const outcome = await simulate(scenario, policy);
      outcomes.push(outcome);
      row.push(cell(outcome));
    }
    rows.push(row);
  }
  const heads = scenarios.map(({ name }) => name.replace(/^[^:]*: /, ''));
  console.log(`\n${title}: ${legend}\n`);
  console.log(formatTable(['', ...heads], rows));
}

if (!values['no-results'] && values.only === '') {
  const { node } = describeMachine();
  const scenarios = chapters.flatMap((chapter) => chapter.scenarios);
  const file = await keepResults('simulate', { node, seed, scenarios, outcomes });
  console.log(`\nraw results: ${file}`);
}
