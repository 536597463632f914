import { tmpdir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';

import type { ControlSocketConfig } from './config.js';
import type { Environment } from './environment.js';

/** What `controlSocket` says; undefined for `off`. */
export function compileControlSocket(
  value: string | undefined,
  environment: Environment,
): ControlSocketConfig | undefined {
  if (value === 'off') return undefined;
  return value === undefined ? { folders: controlFolders(environment) } : { path: resolve(value) };
}

/** Where a client looks for servers: at the one socket that the variable names, if it does, and in the user's folders. */
export function findControlSockets(environment: Environment): {
  readonly path: string | undefined;
  readonly folders: readonly string[];
} {
  const named = compileControlSocket(environment['BENTOTS_CONTROL_SOCKET'] || undefined, environment);
  const path = named !== undefined && 'path' in named ? named.path : undefined;
  return { path, folders: controlFolders(environment) };
}

/**
 * Where servers of this user put their control sockets unless they are told, best first; where clients look, all of
 * them: a server of the system's service manager has other variables than the shell of the same user.
 */
export function controlFolders(environment: Environment): readonly string[] {
  const parents = [environment['XDG_RUNTIME_DIR'], environment['TMPDIR'], tmpdir()];
  const name = `bentots-${process.geteuid?.() ?? 'user'}`;
  const folders = parents.flatMap((parent = '') => (isAbsolute(parent) ? join(parent, name) : []));
  return [...new Set(folders)];
}
