import { lstat, unlink } from 'node:fs/promises';
import net from 'node:net';
import { ServeError } from '@bentots/errors';

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
