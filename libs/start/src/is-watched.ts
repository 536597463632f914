import { basename, dirname, relative, sep } from 'node:path';

import ignore, { type Ignore } from 'ignore';

/** What is not the service's own code: packages, what tools make, tests. */
const FOLDERS: ReadonlySet<string> = new Set(['node_modules', 'dist', 'out-tsc', 'coverage']);
const FILE = /\.([cm]?[jt]sx?|json|ya?ml)$/;
const NOT_FILE = /\.(d\.[cm]?ts|(spec|test)\.[cm]?[jt]sx?)$/;

/** What {@link createWatchFilter} decides from. */
export interface WatchFilterFacts {
  /** The service's working directory, absolute. */
  readonly dir: string;
  /** The service's module, absolute: the folders that it lies in are watched, whatever they are called. */
  readonly file: string;
  /** The text of `.bentoignore`, in the form of `.gitignore`; empty when there is none. */
  readonly ignored: string;
}

/**
 * Says of absolute paths below the directory whether their change may change the service: modules, JSON and YAML, but
 * nothing in hidden folders, in packages or in what tools make, and nothing that `.bentoignore` lists.
 */
export function createWatchFilter(
  facts: WatchFilterFacts,
): (path: string, kind: 'file' | 'folder') => boolean {
  const { dir } = facts;
  const listed = ignore().add(facts.ignored);
  const home = foldersOf(relative(dir, facts.file));
  return (path, kind) => {
    const inside = relative(dir, path);
    if (inside === '') return true;
    if (isListed(listed, inside, kind)) return false;
    const name = basename(path);
    if (kind === 'folder') return home.has(inside) || !(name.startsWith('.') || FOLDERS.has(name));
    return path === facts.file || (FILE.test(name) && !NOT_FILE.test(name) && !name.startsWith('.'));
  };
}

function isListed(listed: Ignore, path: string, kind: 'file' | 'folder'): boolean {
  const posix = path.split(sep).join('/');
  return ignore.isPathValid(posix) && listed.ignores(kind === 'folder' ? `${posix}/` : posix);
}

/** The folders on the way to a file, as paths of their own. */
function foldersOf(file: string): ReadonlySet<string> {
  const folders = new Set<string>();
  for (let folder = dirname(file); folder !== '.' && folder !== dirname(folder); folder = dirname(folder)) {
    folders.add(folder);
  }
  return folders;
}
