import { chmodSync, chownSync, lstatSync, renameSync, unlinkSync } from 'node:fs';
import { lstat, stat, unlink } from 'node:fs/promises';
import net from 'node:net';
import { dirname } from 'node:path';
import { ServeError } from '@bentots/errors';
import { bindUnix, type RawServerHandle } from './raw-handle.js';

/** The system's limit for a unix socket's path; longer ones are cut without a word, so we refuse them. */
export const MAX_UNIX_PATH_BYTES = 107;

/**
 * Makes `path` free for a unix socket: removes the file of a socket that nobody listens on, left by a killed process.
 * Throws `address_in_use` when somebody does listen, `address_unavailable` when the path is too long or another file.
 */
export async function freeUnixPath(path: string): Promise<void> {
  const bytes = Buffer.byteLength(path);
  if (bytes > MAX_UNIX_PATH_BYTES) {
    throw new ServeError(
      'address_unavailable',
      `the unix socket path '${path}' has ${bytes} bytes; at most ${MAX_UNIX_PATH_BYTES} are possible`,
    );
  }
  // The system calls this case "permission denied".
  const folder = await stat(dirname(path)).catch(() => undefined);
  if (folder?.isDirectory() !== true) {
    throw new ServeError(
      'address_unavailable',
      `the folder of unix socket '${path}' does not exist; create it first`,
    );
  }
  const stats = await lstat(path).catch(() => undefined);
  if (stats === undefined) return;
  if (!stats.isSocket()) {
    throw new ServeError(
      'address_unavailable',
      `'${path}' exists and is no socket; remove it or choose another path`,
    );
  }
  if (await isAnswered(path)) {
    throw new ServeError(
      'address_in_use',
      `unix socket '${path}' is in use: another process listens on it; stop it or choose another path`,
    );
  }
  await unlink(path).catch(() => undefined);
}

/** A socket with a full queue (EAGAIN) or of somebody else (EACCES) is alive: only ECONNREFUSED proves it stale. */
function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(path);
    socket.once('connect', () => resolve(true));
    socket.once('error', (error: NodeJS.ErrnoException) =>
      resolve(!['ECONNREFUSED', 'ENOENT'].includes(error.code ?? '')),
    );
    socket.once('connect', () => socket.destroy());
  });
}

/** Who may use a unix socket's file. */
export interface FileOwner {
  readonly mode: number;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
}

/** What leaves a user or a group as it is. */
const SAME = -1;

/**
 * Binds a unix socket whose file has its owner and mode before anybody finds it; returns the system error's name if
 * that fails.
 */
export function bindUnixFile(path: string, { mode, uid, gid }: FileOwner): RawServerHandle | string {
  // Whoever closes a bound socket removes the file under the name it was bound to, even if that is somebody else's new
  // one by then. So it is bound under a name that is given up at once, and not longer than the real one.
  const boundPath = `${path.slice(0, -1)}~`;
  const handle = bindUnix(boundPath);
  if (typeof handle === 'string') return handle;
  try {
    if (uid !== undefined || gid !== undefined) chownSync(boundPath, uid ?? SAME, gid ?? SAME);
    chmodSync(boundPath, mode);
    renameSync(boundPath, path);
    return handle;
  } catch (error) {
    // Closing removes the file, which still has the name that it was bound to.
    handle.close();
    throw ownerError(path, uid, gid, error);
  }
}

function ownerError(
  path: string,
  uid: number | undefined,
  gid: number | undefined,
  cause: unknown,
): ServeError {
  const owner = [uid === undefined ? [] : `user ${uid}`, gid === undefined ? [] : `group ${gid}`].flat();
  const why = cause instanceof Error ? cause.message : String(cause);
  return new ServeError(
    'address_unavailable',
    `unix socket '${path}' cannot be given ${owner.join(' and ') || 'its permissions'}: ${why}`,
    { cause },
  );
}

/** A unix socket's file as it was when we made it. */
export interface OwnedFile {
  readonly path: string;
  /** Inode and birth: inodes alone are soon used again. */
  readonly identity: string;
}

/** Remembers the file that is now at `path`. */
export function ownFile(path: string): OwnedFile {
  const { ino, birthtimeMs } = lstatSync(path);
  return { path, identity: `${ino}:${birthtimeMs}` };
}

/** Removes the file, unless it is gone or another one has its name. */
export function removeOwnedFile(file: OwnedFile): void {
  try {
    if (ownFile(file.path).identity === file.identity) unlinkSync(file.path);
  } catch {
    // It is gone already.
  }
}
