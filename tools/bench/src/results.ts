import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { type Aim, formatAims } from './aim.js';

/** What a run was taken on; absolute figures mean nothing without it. */
export interface MachineFacts {
  readonly takenAt: string;
  readonly node: string;
  readonly cpu: string;
  readonly cores: number;
  /** Load of the machine when the run began: above 0 means that others were working, too. */
  readonly loadAverage: number;
}

/** Facts about this machine, now. */
export function describeMachine(): MachineFacts {
  return {
    takenAt: new Date().toISOString(),
    node: process.version,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    loadAverage: Number((loadavg()[0] ?? 0).toFixed(1)),
  };
}

/** What came of a bench, for people and for the table of all benches. */
export interface Report {
  readonly name: string;
  /** Facts from before the run. */
  readonly machine: MachineFacts;
  readonly text: string;
  readonly aims: readonly Aim[];
  readonly raw: object;
}

/** Prints a report, and keeps it as `results/NAME.json`, of a quick run as `NAME-quick.json`. */
export async function publish(
  { name, machine, text, aims, raw }: Report,
  { quick, keep }: { readonly quick: boolean; readonly keep: boolean },
): Promise<void> {
  const { node, cores, cpu, loadAverage } = machine;
  console.log(`${text}\n\n${formatAims(aims)}\n`);
  console.log(`${node}, ${cores} × ${cpu}, load average ${loadAverage} at the start`);
  if (!keep) return;
  const file = await keepResults(quick ? `${name}-quick` : name, { machine, aims, text, ...raw });
  console.log(`raw results: ${file}`);
}

/** What every bench keeps. */
export interface Kept {
  readonly machine: MachineFacts;
  readonly aims: readonly Aim[];
  readonly text: string;
}

/** Keeps raw results as `results/NAME.json`, and says where. */
export async function keepResults(name: string, results: unknown): Promise<string> {
  const file = new URL(`../results/${name}.json`, import.meta.url);
  await mkdir(new URL('.', file), { recursive: true });
  await writeFile(file, `${JSON.stringify(results, undefined, 1)}\n`);
  return fileURLToPath(file);
}

/** The raw results that were kept last. */
export async function readResults(name: string): Promise<unknown> {
  return JSON.parse(await readFile(new URL(`../results/${name}.json`, import.meta.url), 'utf8'));
}
