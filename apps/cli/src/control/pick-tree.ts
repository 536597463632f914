import { type Environment, findControlSockets } from '@bentots/config';
import { ServeError } from '@bentots/errors';
import { findTrees, type TreeRef } from '@bentots/supervisor/control';

/** Every live tree of this user, wherever its socket may be. */
export async function lookForTrees(environment: Environment): Promise<readonly TreeRef[]> {
  const { folders } = findControlSockets(environment);
  const found = await Promise.all(folders.map((folder) => findTrees(folder)));
  return found.flat();
}

/**
 * The control socket of the tree that is meant: by its file (anything with a slash), its name or process id, by the
 * variable, or because there is just one. Throws `not_found` or, if it could be several, `invalid_option`.
 */
export async function pickSocket(wish: string | undefined, environment: Environment): Promise<string> {
  if (wish?.includes('/')) return wish;
  const { path, folders } = findControlSockets(environment);
  if (wish === undefined && path !== undefined) return path;
  return pickTree(await lookForTrees(environment), wish, folders).path;
}

/** Picks by name (`serve:linear`, or `linear`) or process id; without a wish there must be one tree. */
export function pickTree(
  trees: readonly TreeRef[],
  wish: string | undefined,
  folders: readonly string[],
): TreeRef {
  if (trees.length === 0) {
    const message = `no server is running that this user may control (looked in ${folders.join(', ')})`;
    throw new ServeError('not_found', `${message}; if its socket is elsewhere, say where: --tree <file>`);
  }
  const meant = wish === undefined ? trees : trees.filter((tree) => isMeant(tree, wish));
  const [first] = meant;
  if (first === undefined) {
    throw new ServeError('not_found', `no server '${wish}' is running; there is: ${tell(trees)}`);
  }
  if (meant.length > 1) {
    const which = wish === undefined ? 'several servers are running' : `'${wish}' could be several servers`;
    const message = `${which}: ${tell(meant)}; say which: --tree <name or pid>`;
    throw new ServeError('invalid_option', message);
  }
  return first;
}

function isMeant({ name, pid }: TreeRef, wish: string): boolean {
  return [name, name.slice(name.indexOf(':') + 1), String(pid)].includes(wish);
}

function tell(trees: readonly TreeRef[]): string {
  return trees.map(({ name, pid }) => `${name} (pid ${pid})`).join(', ');
}
