import { randomBytes } from 'node:crypto';
import { readdir, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const NAME = /^bentots-(\d+)-[0-9a-f]{12}$/;

/** The name of a directory for this process's sockets, which nobody can guess; not made yet. */
export function createRuntimeDirName(parent: string = tmpdir()): string {
  return join(parent, `bentots-${process.pid}-${randomBytes(6).toString('hex')}`);
}

/**
 * Removes what servers that were killed have left behind: empty directories whose process is gone. (Their sockets went
 * with the workers.) A directory that is in use holds sockets, so that even a process number of another container, where
 * it means somebody else, cannot mislead.
 */
export async function sweepRuntimeDirs(parent: string = tmpdir()): Promise<void> {
  const names = await readdir(parent).catch(() => []);
  const left = names.filter((name) => isGone(Number(NAME.exec(name)?.[1] ?? process.pid)));
  await Promise.all(left.map((name) => rmdir(join(parent, name)).catch(() => undefined)));
}

function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ESRCH'; // EPERM: it lives, under another user
  }
}
