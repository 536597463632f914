import { realpath, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { ServeError } from '@bentots/errors';

/** `~` and `~/x` become the home directory; everything else stays. */
export function expandHome(path: string): string {
  return path === '~' || path.startsWith(`~${sep}`) ? homedir() + path.slice(1) : path;
}

/**
 * The directory that `dir` names, absolute, with `~` expanded, relative to the process's own directory and with its
 * symbolic links resolved, so that every process of the tree means the same place.
 *
 * @throws ServeError `invalid_option` when it does not exist or is no directory.
 */
export async function resolveWorkingDir(dir: string): Promise<string> {
  const path = resolve(expandHome(dir));
  const facts = await stat(path).catch(() => undefined);
  if (facts === undefined) {
    throw new ServeError('invalid_option', `working directory '${dir}' does not exist (looked at ${path})`);
  }
  if (!facts.isDirectory()) {
    throw new ServeError('invalid_option', `working directory '${dir}' is a file; expected a directory`);
  }
  return realpath(path);
}

/** Whether `path` is `dir` or lies below it; both absolute and with their links resolved. */
export function isInside(path: string, dir: string): boolean {
  const way = relative(dir, path);
  return way === '' || (!isAbsolute(way) && way !== '..' && !way.startsWith(`..${sep}`));
}
