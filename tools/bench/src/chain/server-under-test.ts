import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { treeCpuMs } from './tree-cpu.js';

const workspace = fileURLToPath(new URL('../../../..', import.meta.url));
const bentots = fileURLToPath(new URL('../../../../apps/cli/bin/bentots.mjs', import.meta.url));
const plainFastify = fileURLToPath(new URL('./plain-fastify.ts', import.meta.url));

/** Trees of processes that answer together at one address. */
export interface ServerUnderTest {
  readonly name: string;
  readonly url: string;
  /** CPU milliseconds of all its processes so far. */
  cpuMs(): number;
  stop(): Promise<void>;
}

/** A runner server and an HTTP server of examples/linear with one worker each, as two commands. */
export async function startBentots(name: string, flags: readonly string[]): Promise<ServerUnderTest> {
  const linear = 'examples/linear';
  const runner = await startTree([
    bentots,
    ...['start-runner-server', linear, '--runner-name', 'matmul', '--port', '0', ...flags],
  ]);
  const http = await startTree([
    bentots,
    ...['start-http-server', linear, '--remote-runner', `matmul=${runner.url}`, '--port', '0'],
    ...['--api-workers', '1', ...flags],
  ]);
  return together(name, http.url, [http, runner]);
}

/** Fastify alone, which computes the answer in the process that speaks HTTP. */
export async function startPlainFastify(name: string): Promise<ServerUnderTest> {
  const tree = await startTree(['--import', 'tsx', plainFastify]);
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
    async stop() {
      for (const { child } of trees) {
        if (child.exitCode !== null) continue;
        child.kill();
        await once(child, 'exit');
      }
    },
  };
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
