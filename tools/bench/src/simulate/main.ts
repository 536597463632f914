import { parseArgs } from 'node:util';
import { describeMachine, keepResults } from '../results.js';
import { formatFigure, formatTable } from '../table.js';
import { corkDispatcher } from './policies/cork.js';
import { realDispatcher } from './policies/dispatcher.js';
import { fixedWindow } from './policies/fixed-window.js';
import { idleDispatch } from './policies/idle-dispatch.js';
import { maxQueueDelay } from './policies/max-queue-delay.js';
import { noBatching } from './policies/none.js';
import { oracle } from './policies/oracle.js';
import { listScenarios, type Outcome } from './scenario.js';
import { simulate } from './simulate.js';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    /** Virtual seconds that are measured in each cell. */
    seconds: { type: 'string', default: '6' },
    'no-results': { type: 'boolean', default: false },
  },
});

const policies = [
  noBatching,
  fixedWindow(10),
  fixedWindow(2),
  maxQueueDelay(1),
  corkDispatcher(),
  idleDispatch,
  realDispatcher,
  oracle,
];
const scenarios = listScenarios({ seed: Number(values.seed), measureMs: Number(values.seconds) * 1000 });

const outcomes: Outcome[] = [];
for (const scenario of scenarios) {
  for (const policy of policies) outcomes.push(await simulate(scenario, policy));
}

const cellOf = (policy: string, scenario: string): string => {
  const cell = outcomes.find((outcome) => outcome.policy === policy && outcome.scenario === scenario);
  if (cell === undefined) return '';
  const { perSecond, meanMs, p99Ms, meanBatch, refused } = cell;
  const figures = [perSecond, meanMs, p99Ms, meanBatch].map(formatFigure).join(' · ');
  return refused > 0 ? `${figures} (${refused} refused)` : figures;
};

for (const model of ['heavy', 'light', 'steep']) {
  for (const kind of ['closed', 'poisson'] as const) {
    const chosen = scenarios.filter(({ name, load }) => name.startsWith(model) && load.kind === kind);
    const cost = chosen[0]?.cost;
    console.log(
      `\n${model} model, ${cost?.fixedMs} + ${cost?.perRowMs} · rows ms, ${kind === 'closed' ? 'closed-loop clients' : 'open loop'}: answers/s · mean ms · p99 ms · mean batch\n`,
    );
    const titles = chosen.map(({ name }) => name.replace(/^\w+: /, '').replace(/ (closed|Poisson)$/, ''));
    const rows = policies.map(({ name }) => [name, ...chosen.map((scenario) => cellOf(name, scenario.name))]);
    console.log(formatTable([kind === 'closed' ? 'clients' : 'requests', ...titles], rows));
  }
}

if (!values['no-results']) {
  const { node } = describeMachine();
  const file = await keepResults('simulate', { node, seed: Number(values.seed), scenarios, outcomes });
  console.log(`\nraw results: ${file}`);
}
