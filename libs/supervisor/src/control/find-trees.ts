import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ServeError } from '@bentots/errors';
import { type OwnedFile, ownFile, removeOwnedFile } from '../socket/unix-path.js';
import type { TreeState } from '../states.js';
import { isSafeFolder, pidOfControlPath } from './control-path.js';
import { TreeClient } from './tree-client.js';

/** A tree that can be reached. */
export interface TreeRef {
  /** Its control socket. */
  readonly path: string;
  readonly name: string;
  readonly pid: number;
  /** `silent`: it accepts, but did not say in time who it is; name and pid are then those of the file. */
  readonly state: TreeState | 'silent';
}

/** A tree that does not say who it is within this time is `silent`: suspended, or very busy. */
const ASK_LIMIT_MS = 2000;

/**
 * The live trees whose control sockets are in a folder, by name and pid. Files on which nobody listens are passed over,
 * and removed if the process that made them is gone. A folder that is missing, or that another user could change, has
 * none.
 */
export async function findTrees(folder: string): Promise<readonly TreeRef[]> {
  if (!isSafeFolder(folder)) return [];
  const names = readdirSync(folder).filter((name) => name.endsWith('.sock'));
  const found = await Promise.all(names.map((name) => findTree(join(folder, name))));
  return found
    .filter((tree) => tree !== undefined)
    .sort((a, b) => a.name.localeCompare(b.name) || a.pid - b.pid);
}

async function findTree(path: string): Promise<TreeRef | undefined> {
  const file = lookAt(path);
  if (file === undefined) return undefined;
  try {
    const client = await TreeClient.connect(path);
    return await identify(path, client).finally(() => client.close());
  } catch (error) {
    if (isLeftBehind(path, error)) removeOwnedFile(file);
    return undefined;
  }
}

async function identify(path: string, client: TreeClient): Promise<TreeRef> {
  const silent: TreeRef = {
    path,
    name: basename(path).replace(/\.\d+(-\d+)?\.sock$/, ''),
    pid: pidOfControlPath(path) ?? 0,
    state: 'silent',
  };
  try {
    const { name, pid, state } = await client.request('status', {}, ASK_LIMIT_MS);
    return { path, name, pid, state };
  } catch (error) {
    // It lives, and is not able to say more, or has clients enough.
    if (error instanceof ServeError && SILENT.includes(error.code)) return silent;
    throw error;
  }
}

const SILENT: readonly string[] = ['deadline_exceeded', 'too_many_requests'];

function lookAt(path: string): OwnedFile | undefined {
  try {
    return ownFile(path);
  } catch {
    return undefined; // it went away meanwhile
  }
}

/** A tree that is just starting has bound its file and does not listen yet: only the end of its process is a proof. */
function isLeftBehind(path: string, error: unknown): boolean {
  const cause = error instanceof ServeError ? error.cause : undefined;
  const isRefused = cause instanceof Error && 'code' in cause && cause.code === 'ECONNREFUSED';
  const pid = pidOfControlPath(path);
  return isRefused && pid !== undefined && !isRunning(pid);
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'; // it runs, under another user
  }
}
