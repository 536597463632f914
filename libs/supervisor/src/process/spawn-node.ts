import { type ChildProcess, spawn } from 'node:child_process';
import { inheritedEnvironment } from './inherited-environment.js';
import type { Launch } from './launch.js';
import { preludeArgs } from './lifeline.js';

/** Starts an entry: with the IPC channel, its lifeline, and the shared sockets from descriptor 5 on. */
export function spawnNode(launch: Launch): ChildProcess {
  const nodeArgs = launch.program.kind === 'node' ? launch.program.nodeArgs : [];
  const prelude = preludeArgs(launch.files, launch.umask);
  const output = launch.output === undefined ? 'inherit' : 'pipe';
  const child = spawn(process.execPath, [...prelude, ...nodeArgs, launch.command, ...launch.args], {
    ...spawnOptions(launch),
    stdio: ['ignore', output, output, 'ipc', 'pipe', ...launch.fds],
  });
  // Our end of the lifeline; it must stay open for as long as this process lives.
  child.stdio[4]?.on('error', () => undefined);
  return child;
}

/** What entries and commands have in common. */
export function spawnOptions({ env, cwd, uid, gid }: Launch): {
  readonly env: NodeJS.ProcessEnv;
  readonly detached: true;
} & { readonly cwd?: string; readonly uid?: number; readonly gid?: number } {
  return {
    env: { ...inheritedEnvironment(), ...env },
    ...(cwd === undefined ? {} : { cwd }),
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
    // A group of its own: Ctrl-C reaches only the arbiter, and a kill reaches grandchildren.
    detached: true,
  };
}
