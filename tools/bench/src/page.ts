import { formatAims } from './aim.js';
import { type Kept, readResults } from './results.js';
import { formatSimulation, type KeptSimulation } from './simulation-section.js';

/** Benches with aims, in the order of the table. */
export const benches: readonly string[] = [
  'hop',
  'chain',
  'batching',
  'lone',
  'overload',
  'agree',
  'balance',
];

/** When a bench ran, and on what. */
export function formatMachine({ name, machine }: Pick<Kept, 'machine'> & { readonly name: string }): string {
  const { takenAt, node, cores, cpu, loadAverage } = machine;
  return `${name}: ${takenAt.slice(0, 16)}, ${node}, ${cores} × ${cpu}, load average ${loadAverage} when it began`;
}

/** What the page shows of the kept results: a section of each bench and of the simulation, and the table of all aims. */
export async function readSections(): Promise<ReadonlyMap<string, string>> {
  const all = await Promise.all(
    benches.map(async (name) => ({ name, ...((await readResults(name)) as Kept) })),
  );
  const machines = all.map((one) => `- ${formatMachine(one)}`).join('\n');
  const table = formatAims(all.flatMap(({ aims }) => aims));
  const simulation = (await readResults('simulate')) as KeptSimulation;
  return new Map([
    ['simulate', formatSimulation(simulation)],
    ['aims', `${table}\n\n${machines}`],
    ...all.map(({ name, text }) => [name, text] as const),
  ]);
}

/**
 * The page with `sections` between their marks, `<!-- measured: NAME -->` and `<!-- end -->`.
 *
 * @throws when a mark names no section, or a section has no mark: it would be missing without a word.
 */
export function fillPage(page: string, sections: ReadonlyMap<string, string>): string {
  const missing = new Set(sections.keys());
  const filled = page.replaceAll(
    /(<!-- measured: (\w+) -->\n)[\s\S]*?(<!-- end -->)/g,
    (_all, mark: string, name: string, end: string) => {
      const text = sections.get(name);
      if (text === undefined) throw new Error(`the page has a mark for '${name}', which nobody measures`);
      missing.delete(name);
      return `${mark}\n${text}\n\n${end}`;
    },
  );
  if (missing.size > 0) throw new Error(`the page has no mark for ${[...missing].join(', ')}`);
  return filled;
}
