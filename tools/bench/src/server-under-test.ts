import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { treeCpuMs } from './tree-cpu.js';

const workspace = fileURLToPath(new URL('../../..', import.meta.url));
const bentots = fileURLToPath(new URL('../../../apps/cli/bin/bentots.mjs', import.meta.url));

/** Trees of processes that answer together at one address. */
export interface ServerUnderTest {
  readonly name: string;
  readonly url: string;
  /** CPU milliseconds of all its processes so far. */
  cpuMs(): number;
  stop(): Promise<void>;
}

/** Which chain to start. */
export interface ChainOptions {
  readonly name: string;
  /** Identifier of the service, from the root of the workspace. */
  readonly service: string;
  readonly runners: readonly string[];
  /** Of all commands. */
  readonly flags?: readonly string[];
}

/** A runner server for each runner, and an HTTP server with one worker, each by its own command. */
export async function startChain(options: ChainOptions): Promise<ServerUnderTest> {
  const { name, service, runners, flags = [] } = options;
  const trees: Tree[] = [];
  try {
    const maps: string[] = [];
    for (const runner of runners) {
      const tree = await startTree([
        bentots,
        ...['start-runner-server', service, '--runner-name', runner, '--port', '0', ...flags],
      ]);
      trees.push(tree);
      maps.push('--remote-runner', `${runner}=${tree.url}`);
    }
    const http = await startTree([
      bentots,
      ...['start-http-server', service, ...maps, '--port', '0', '--api-workers', '1'],
      ...flags,
    ]);
    trees.unshift(http);
    return together(name, http.url, trees);
  } catch (error) {
    await stopTrees(trees);
    throw error;
  }
}

/** A program of one process that prints where it is ready. */
export async function startProgram(name: string, file: string): Promise<ServerUnderTest> {
  const tree = await startTree(['--import', 'tsx', file]);
  return together(name, tree.url, [tree]);
}

interface Tree {
  readonly child: ChildProcess;
  readonly url: string;
}

function together(name: string, url: string, trees: readonly Tree[]): ServerUnderTest {
  return {
    name,
    url,
    cpuMs: () =>
      trees.reduce((sum, { child }) => sum + (child.pid === undefined ? 0 : treeCpuMs(child.pid)), 0),
    stop: () => stopTrees(trees),
  };
}

async function stopTrees(trees: readonly Tree[]): Promise<void> {
  for (const { child } of trees) {
    if (child.exitCode !== null) continue;
    child.kill();
    await once(child, 'exit');
  }
}

/** Starts a program, and waits until it prints where it is ready. What it prints later is read and dropped. */
async function startTree(args: readonly string[]): Promise<Tree> {
  const child = spawn(process.execPath, args, { cwd: workspace, stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  const url = await new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      if (printed.length < 10_000) printed += chunk.toString();
      const [, found] = /ready on (\w+:\/\/\S+)/.exec(printed) ?? [];
      if (found !== undefined) resolve(found);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('exit', (code) => reject(new Error(`ended with ${code} before it was ready:\n${printed}`)));
  });
  for (const output of [child.stdout, child.stderr]) output.removeAllListeners('data').resume();
  return { child, url };
}
