import { listChapters } from './simulate/chapters.js';
import type { Outcome, Scenario } from './simulate/scenario.js';
import { formatTable } from './table.js';

/** What `simulate` keeps. */
export interface KeptSimulation {
  readonly seed: number;
  readonly scenarios: readonly Scenario[];
  readonly outcomes: readonly Outcome[];
}

/** The tables that `simulate` printed, from what it kept. */
export function formatSimulation({ seed, scenarios, outcomes }: KeptSimulation): string {
  const measureMs = scenarios[0]?.measureMs ?? 0;
  const tables = listChapters({ seed, measureMs }).map(
    ({ title, legend, scenarios: columns, policies, cell }) => {
      const rows = policies.map(({ name }) => [
        name,
        ...columns.map((scenario) => {
          const found = outcomes.find((one) => one.policy === name && one.scenario === scenario.name);
          return found === undefined ? '' : cell(found);
        }),
      ]);
      const heads = columns.map(({ name }) => name.replace(/^[^:]*: /, ''));
      return `**${title}**: ${legend}\n\n${formatTable(['', ...heads], rows)}`;
    },
  );
  return tables.join('\n\n');
}
