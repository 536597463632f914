import { accessSync, constants, mkdirSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { ServeError } from '@bentots/errors';

const PLACEHOLDER = '$(pid)';

/** Paths of control sockets in this process: they must differ, also when two trees have the same plan. */
const claimed = new Set<string>();

/**
 * The path to bind: `$(pid)` becomes this process's id; in a process that runs several trees, `id-2` and so on.
 * It stays reserved until {@link releaseControlPath}.
 */
export function claimControlPath(path: string): string {
  const candidate = (count: number): string =>
    path.replaceAll(PLACEHOLDER, count === 1 ? String(process.pid) : `${process.pid}-${count}`);
  let count = 1;
  while (path.includes(PLACEHOLDER) && claimed.has(candidate(count))) count += 1;
  claimed.add(candidate(count));
  return candidate(count);
}

/** Lets the path be used again. */
export function releaseControlPath(path: string): void {
  claimed.delete(path);
}

/** The process that made a socket file, if its name ends in `.<pid>.sock` or `.<pid>-<n>.sock`. */
export function pidOfControlPath(path: string): number | undefined {
  const digits = /\.(\d+)(?:-\d+)?\.sock$/.exec(path)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/**
 * Makes the folder of a control socket if it is not there, for nobody but this user. Throws `address_unavailable` when
 * somebody else could replace the sockets in it.
 */
export function prepareControlFolder(path: string): void {
  const folder = dirname(path);
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    const exists = error instanceof Error && 'code' in error && error.code === 'EEXIST';
    if (!exists) throw unusable(folder, `it cannot be made (${String(error)})`, error);
  }
  if (!isSafeFolder(folder)) throw unusable(folder, 'another user could replace what is in it');
}

/** Whether this user may have control sockets in the folder, be it there or still to be made. */
export function canHoldControlSocket(folder: string): boolean {
  if (isSafeFolder(folder)) return true;
  const parent = dirname(folder);
  try {
    accessSync(parent, constants.W_OK | constants.X_OK);
    return statSync(folder, { throwIfNoEntry: false }) === undefined && isSafeFolder(parent);
  } catch {
    return false;
  }
}

/** Whether a folder is there, and only this user or root can replace files of this user in it. */
export function isSafeFolder(folder: string): boolean {
  const stats = lookAt(folder);
  if (!stats?.isDirectory()) return false;
  const isSticky = (stats.mode & 0o1000) !== 0;
  const isOurs = [0, process.geteuid?.()].includes(stats.uid);
  return isOurs && ((stats.mode & 0o022) === 0 || isSticky);
}

function lookAt(folder: string): Stats | undefined {
  try {
    return statSync(folder, { throwIfNoEntry: false });
  } catch {
    return undefined; // this user may not even look
  }
}

function unusable(folder: string, why: string, cause?: unknown): ServeError {
  const message = `the folder '${folder}' of the control socket cannot be used: ${why}; choose another path or none`;
  return new ServeError('address_unavailable', message, { cause });
}
