import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { addTallies, countOf, emptyTally, formatTally, Load, type Mishap } from '@bentots/load';
import { get } from '../src/clients.js';
import { commandOf, waitFor } from '../src/processes.js';
import { Census, findSocketFiles } from './census.js';
import { type Excuse, findStuckGauges, findUnaccounted, isExcused, judgeMemory } from './judge.js';
import { planStrikes, type Strike } from './strikes.js';
import { planHouse } from './trees.js';
import { SoakTree } from './tree.js';

/** What a soak is told. */
export interface SoakOptions {
  /** The same seed gives the same row of strikes. */
  readonly seed: number;
  readonly durationMs: number;
  /** Everything that the trees write goes here. */
  readonly folder: string;
  say(line: string): void;
  /** Says every strike. */
  readonly isVerbose: boolean;
}

/** Keeps a house of real trees alive under load and a killer; gives what was wrong, nothing when all is well. */
export async function runSoak(options: SoakOptions): Promise<string[]> {
  const { seed, durationMs, folder, say } = options;
  const excuses: Excuse[] = [];
  const mishaps: Mishap[] = [];
  const house = await planHouse();
  const env = { TMPDIR: folder, XDG_RUNTIME_DIR: folder };
  const trees = house.specs.map(
    (spec) =>
      new SoakTree(spec, env, (kind, names) => {
        const excuse = { kind, trees: names, fromMs: performance.now(), untilMs: Infinity };
        excuses.push(excuse);
        return excuse;
      }),
  );
  const census = new Census(trees);
  const faults: string[] = [];
  try {
    const [first, ...others] = trees;
    await first?.start();
    await Promise.all(others.map((tree) => tree.start()));
    say(`soak: ${trees.length} trees, ${durationMs / 1000} s, --seed ${seed}`);
    const loads = house.loads.map(
      (load) => new Load({ ...load, onMishap: (mishap) => void mishaps.push(mishap) }),
    );
    await Promise.all(loads.map((load) => load.answered(5)));
    await strikeAll(trees, options);
    await Promise.all(trees.map((tree) => tree.settled()));
    // Nobody is replaced any more: time to see whether the memory of each stays flat under load.
    await sleep(calmMs(durationMs));
    // Nobody is away any more: everybody must be served again.
    await Promise.race([
      Promise.all(loads.map((load) => load.answered(20))),
      sleep(60_000).then(() => faults.push('some clients are not served 60 s after the last strike')),
    ]);
    const tallies = await Promise.all(loads.map((load) => load.end()));
    faults.push(...judgeMishaps(mishaps, excuses));
    say(`requests: ${formatTally(addTallies(emptyTally, ...tallies))} of ${countOf(addTallies(...tallies))}`);
    faults.push(...(await judgeGauges(trees)));
  } catch (error) {
    faults.push(error instanceof Error ? error.message : String(error));
  }
  faults.push(...(await endHouse(trees, census, options)));
  return faults;
}

/** How long at the end nobody is struck: at least as long as the memory of the youngest needs to be judged. */
function calmMs(durationMs: number): number {
  return Math.max(45_000, durationMs / 4);
}

async function strikeAll(
  trees: readonly SoakTree[],
  { seed, durationMs, say, isVerbose }: SoakOptions,
): Promise<void> {
  const end = performance.now() + durationMs - calmMs(durationMs);
  for (const strike of planStrikes(seed, trees.length)) {
    await sleep(strike.afterMs);
    if (performance.now() > end) return;
    const tree = trees[strike.tree];
    const isDone = tree !== undefined && perform(tree, strike);
    if (isVerbose)
      say(
        `${Math.round(performance.now())} ms: ${strike.kind} of ${tree?.spec.name}${isDone ? '' : ': not now'}`,
      );
  }
}

function perform(tree: SoakTree, { kind, worker, isRude }: Strike): boolean {
  if (!tree.isUp || (tree.isReserved && !(isRude && kind === 'kill worker'))) return false;
  switch (kind) {
    case 'kill worker':
      return tree.killWorker(worker);
    case 'stop worker':
      return tree.stopWorker(worker);
    case 'reload':
      return tree.reload();
    case 'kill arbiter':
      return tree.killArbiter();
  }
}

/** Mishaps that nothing excuses, the first of them in words. */
function judgeMishaps(mishaps: readonly Mishap[], excuses: readonly Excuse[]): string[] {
  const inexcusable = mishaps.filter((mishap) => !isExcused(mishap, excuses));
  const told = inexcusable.slice(0, 12).map(({ load, outcome, message, sentAtMs, endedAtMs }) => {
    const when = `${Math.round(sentAtMs)}–${Math.round(endedAtMs)} ms`;
    return `${load}: ${outcome} at ${when}: ${message.slice(0, 300)}`;
  });
  if (inexcusable.length > told.length)
    told.push(`and ${inexcusable.length - told.length} more such requests`);
  return told;
}

/** Metrics that say that something goes on though nobody asks any more. */
async function judgeGauges(trees: readonly SoakTree[]): Promise<string[]> {
  const stuckIn = async ({ spec }: SoakTree): Promise<string[]> =>
    findStuckGauges((await get(spec.metricsUrl)).text, spec.watchers).map(
      (line) => `${spec.name}: not at rest: ${line}`,
    );
  const stuck = async (): Promise<string[]> => (await Promise.all(trees.map(stuckIn))).flat();
  // Workers tell theirs once a second.
  await waitFor('the gauges', async () => (await stuck()).length === 0, 15_000).catch(() => undefined);
  return stuck();
}

/** Stops all, counts who and what is left, and says the figures. */
async function endHouse(trees: readonly SoakTree[], census: Census, options: SoakOptions): Promise<string[]> {
  const { folder, say } = options;
  const faults: string[] = [];
  for (const tree of [...trees].reverse()) {
    const server = tree.servers.at(-1);
    if (server === undefined) continue;
    const { code } = await server.stop();
    if (code !== 0) faults.push(`${tree.spec.name} ended with ${code}`);
    faults.push(...findUnaccounted(server.output).map((line) => `${tree.spec.name}: ${line}`));
  }
  census.stop();
  await waitFor('all processes to end', () => census.alive.length === 0, 10_000).catch(() => undefined);
  faults.push(...census.alive.map((pid) => `process ${pid} is left: ${commandOf(pid)}`));
  for (const tree of trees) for (const server of tree.servers) server.kill();
  faults.push(...findSocketFiles(folder).map((path) => `socket file ${path} is left`));
  for (const { spec, servers } of trees) {
    servers.forEach(({ output }, index) => writeFileSync(join(folder, `${spec.name}-${index}.log`), output));
  }
  say(`strikes: ${trees.map(describeStrikes).join('; ')}`);
  say(`processes: ${census.pids.size} lived, ${census.alive.length} are left`);
  const memory = census.memory.flatMap((one) => {
    const judged = judgeMemory(one);
    if (judged === undefined) return [];
    const what = `${one.name} ${judged.first.toFixed(0)} → ${judged.last.toFixed(0)} in ${one.mib.length / 2} s`;
    if (!judged.isFlat) faults.push(`memory grows (MiB): ${what}`);
    return [what];
  });
  say(`memory of those that lived long enough, first and last third, MiB: ${memory.join('; ')}`);
  for (const name of trees.flatMap(({ spec }) =>
    Object.keys(spec.watchers).map((one) => `${spec.name}: ${one}`),
  )) {
    if (!memory.some((one) => one.startsWith(`${name} `)))
      faults.push(`the memory of ${name} was never judged`);
  }
  return faults;
}

function describeStrikes({ spec, counts, longestOrphanMs }: SoakTree): string {
  const done = Object.entries(counts).flatMap(([kind, count]) => (count === 0 ? [] : [`${count} × ${kind}`]));
  const orphans = longestOrphanMs > 0 ? ` (orphans gone in ${Math.round(longestOrphanMs)} ms)` : '';
  return `${spec.name} ${done.join(', ') || 'none'}${orphans}`;
}
