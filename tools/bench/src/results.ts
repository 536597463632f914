import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';

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
