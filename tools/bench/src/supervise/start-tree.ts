import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { AcceptMode, Plan } from '@bentots/supervisor';
import { Tree } from './tree.js';

const fileOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const bentots = fileOf('../../../../apps/cli/bin/bentots.mjs');
const runPlan = fileOf('./run-plan.ts');
const workspace = fileOf('../../../..');

/** How the two edges accept connections. */
export type EdgeAccept = Readonly<Record<'http' | 'grpc', AcceptMode>>;

/** As the commands do it. */
export const asShipped: EdgeAccept = { http: 'balanced', grpc: 'balanced' };

/** Ports that nobody has, and a line for everything that happens but the requests. */
const common = ['--port', '0', '--verbose', '--no-access-log'];

/** Starts a `bentots` command as it is, and waits until it is ready. */
export async function startCommand(args: readonly string[]): Promise<Tree> {
  return ready(new Tree([bentots, ...args, ...common]));
}

/**
 * Starts the tree that a `bentots` command would start, with another way of accepting connections on its `http` and
 * `grpc` sockets. Workers and arbiter are the same; how they are accepted is no option of the command.
 */
export async function startPlanned(args: readonly string[], accept: EdgeAccept): Promise<Tree> {
  const dry = [bentots, ...args, ...common, '--dry-run'];
  const { stdout } = await promisify(execFile)(process.execPath, dry, { cwd: workspace });
  const plan = JSON.parse(stdout) as Plan;
  const sockets = plan.sockets.map((socket) =>
    socket.name === 'http' || socket.name === 'grpc' ? { ...socket, accept: accept[socket.name] } : socket,
  );
  return startPlan({ ...plan, sockets }, args.includes('--ssl-certfile') ? 's' : '');
}

/** The folder of the plan's unix sockets, which the command makes when it starts. */
function folderOf(plan: Plan): string | undefined {
  const path = plan.sockets.find((socket) => socket.path !== undefined)?.path;
  return path === undefined ? undefined : dirname(path);
}

/** Runs a plan; its sockets are announced as `http`, `grpc`, or with `suffix` as `https`, `grpcs`. */
export async function startPlan(plan: Plan, suffix = ''): Promise<Tree> {
  const folder = folderOf(plan) ?? (await mkdtemp(join(tmpdir(), 'bench-plan-')));
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'plan.json');
  await writeFile(file, JSON.stringify(plan));
  const tree = new Tree(['--import', 'tsx', runPlan, file, suffix]);
  void tree.exited.then(() => rm(folder, { recursive: true }));
  return ready(tree);
}

async function ready(tree: Tree): Promise<Tree> {
  await tree.printed(/tree is running/);
  return tree;
}
