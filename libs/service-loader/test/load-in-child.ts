import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** What test/load-all.mjs says of one identifier: a service, or an error. */
export interface Loaded {
  readonly name?: string;
  /** Whether it is an instance of the very class that the loading process imports. */
  readonly isOurs?: boolean;
  readonly identifier?: string;
  readonly file?: string;
  readonly workingDir?: string;
  readonly code?: string;
  readonly message?: string;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: string;
}

export const fixtures = join(import.meta.dirname, 'fixtures');

/** Loads each identifier in turn in one child process that runs the built library. */
export async function loadInChild(
  ...targets: readonly (readonly [string, string])[]
): Promise<readonly Loaded[]> {
  return run(JSON.stringify(targets));
}

/** Loads one identifier in a process that was warmed up for it. */
export async function loadWarmInChild(identifier: string, workingDir: string): Promise<Loaded> {
  const [loaded] = await run(JSON.stringify([[identifier, workingDir]]), 'warm');
  if (loaded === undefined) throw new Error('the child said nothing');
  return loaded;
}

async function run(...args: readonly string[]): Promise<readonly Loaded[]> {
  const script = join(import.meta.dirname, 'load-all.mjs');
  const { stdout } = await promisify(execFile)(process.execPath, [script, ...args]);
  return stdout
    .trim()
    .split('\n')
    .map((line): Loaded => JSON.parse(line));
}

/** The only answer for one identifier. */
export async function loadOneInChild(identifier: string, workingDir: string): Promise<Loaded> {
  const [loaded] = await loadInChild([identifier, workingDir]);
  if (loaded === undefined) throw new Error('the child said nothing');
  return loaded;
}
