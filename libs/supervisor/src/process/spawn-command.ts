import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { ServeError } from '@bentots/errors';
import { guardGroup } from './guard.js';
import { inheritedEnvironment } from './inherited-environment.js';
import type { Launch } from './launch.js';
import { spawnOptions } from './spawn-node.js';

/**
 * Waits for our word, so that the guard is there before the program is, then becomes it. Only in here is it known which
 * process LISTEN_PID is.
 */
const LAUNCHER = `
read -r _ || exit 1
[ -z "$1" ] || umask "$1"
shift
[ -z "$LISTEN_FDS" ] || export LISTEN_PID="$$"
exec "$@" </dev/null`;

/** Starts a command: with the shared sockets from descriptor 3 on, then the one on which it says that it is ready. */
export function spawnCommand(
  launch: Launch,
  onReady: () => void,
): { readonly child: ChildProcess; readonly problem: ServeError | undefined } {
  const { program, command, args, umask } = launch;
  const isNotified = program.kind === 'command' && program.readiness === 'fd';
  const output = launch.output === undefined ? 'inherit' : 'pipe';
  const mask = umask === undefined ? '' : umask.toString(8);
  const child = spawn('/bin/sh', ['-c', LAUNCHER, command, mask, command, ...args], {
    ...spawnOptions(launch),
    stdio: ['pipe', output, output, ...launch.fds, ...(isNotified ? (['pipe'] as const) : [])],
  });
  const { pid, stdin } = child;
  // It failed to start: the child's 'error' event tells why.
  if (pid === undefined) return { child, problem: undefined };
  const dismiss = guardGroup(pid, launch.files);
  child.once('exit', dismiss);
  stdin?.on('error', () => undefined);
  const problem = findProblem(launch);
  if (problem !== undefined) {
    stdin?.destroy();
  } else {
    stdin?.end('\n');
    if (isNotified) awaitNewline(child.stdio.at(3 + launch.fds.length), onReady);
    else child.once('spawn', onReady);
  }
  return { child, problem };
}

/** Whoever writes a newline is ready; the descriptor stays open, so that later writes are no error. */
function awaitNewline(stream: unknown, onReady: () => void): void {
  if (!(stream instanceof Readable)) return;
  stream.on('error', () => undefined);
  stream.on('data', (chunk: Buffer) => {
    if (chunk.includes('\n')) onReady();
  });
}

/** Why the program cannot run, if that is known beforehand: the shell would say it where nobody looks. */
function findProblem({ command, env, cwd, init }: Launch): ServeError | undefined {
  const where = `worker ${init.workerId} of '${init.watcher}' cannot be started`;
  const path = env['PATH'] ?? inheritedEnvironment()['PATH'] ?? '';
  const folder = resolve(cwd ?? '.');
  const isPath = command.includes('/');
  const candidates = isPath
    ? [command]
    : path.split(':').map((entry) => join(isAbsolute(entry) ? entry : join(folder, entry), command));
  if (candidates.some((file) => isExecutable(resolve(folder, file)))) return undefined;
  const problem = isPath
    ? `'${command}' is no program that may be run`
    : `no program is named '${command}' in PATH (${path})`;
  return new ServeError('worker_not_ready', `${where}: ${problem}`);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
