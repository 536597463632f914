import { readdir, realpath, stat } from 'node:fs/promises';
import { dirname, extname, join, relative, resolve } from 'node:path';
import { ServeError } from '@bentots/errors';
import { expandHome, isInside } from './working-dir.js';

/** Endings of files that can hold a service, in the order in which a name without an ending tries them. */
export const EXTENSIONS = ['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs'] as const;

const DOTTED = /^[^./\\]+(\.[^./\\]+)*$/;

/** What stands at `path`, links followed. */
export async function kindOfPath(path: string): Promise<'file' | 'directory' | undefined> {
  const facts = await stat(path).catch(() => undefined);
  if (facts?.isDirectory() === true) return 'directory';
  return facts?.isFile() === true ? 'file' : undefined;
}

/** The first of `stem` + ending that is a file. */
export async function findWithExtension(stem: string): Promise<string | undefined> {
  for (const extension of EXTENSIONS) {
    if ((await kindOfPath(stem + extension)) === 'file') return stem + extension;
  }
  return undefined;
}

/**
 * The file that `module` names from `workingDir` (whose links are resolved): a path with or without its ending, or a
 * dotted name (`pkg.service` is `pkg/service.ts` or `pkg/service/index.ts`). The result has its links resolved.
 *
 * @throws ServeError `service_not_found` when there is none, or it lies outside `workingDir`; `service_invalid` when
 *   it is a file of another kind.
 */
export async function findModuleFile(module: string, workingDir: string): Promise<string> {
  const path = resolve(workingDir, expandHome(module));
  const found = (await findFile(module, path, workingDir)) ?? (await refuseMissing(module, path, workingDir));
  const file = await realpath(found);
  if (!isInside(file, workingDir)) {
    const link = isInside(found, workingDir) ? ` (a link to ${file})` : '';
    throw new ServeError(
      'service_not_found',
      `module '${module}'${link} is outside the working directory ${workingDir}; use ${dirname(file)} as the working directory`,
      { details: { module, file, workingDir } },
    );
  }
  if (!EXTENSIONS.some((extension) => extension === extname(file))) {
    throw new ServeError(
      'service_invalid',
      `'${relative(workingDir, file)}' is no module; expected a file that ends in ${EXTENSIONS.join(', ')}`,
      { details: { module, file } },
    );
  }
  return file;
}

async function findFile(module: string, path: string, workingDir: string): Promise<string | undefined> {
  if ((await kindOfPath(path)) === 'file') return path;
  const stems = [path, join(path, 'index')];
  if (DOTTED.test(module)) {
    const dotted = join(workingDir, ...module.split('.'));
    stems.push(dotted, join(dotted, 'index'));
  }
  for (const stem of stems) {
    const file = await findWithExtension(stem);
    if (file !== undefined) return file;
  }
  return undefined;
}

async function refuseMissing(module: string, path: string, workingDir: string): Promise<never> {
  const near = dirname(path);
  const folder = isInside(near, workingDir) && (await kindOfPath(near)) === 'directory' ? near : workingDir;
  const available = (await readdir(folder))
    .filter((name) => EXTENSIONS.some((extension) => extension === extname(name)))
    .sort();
  const more = available.length > 10 ? ` and ${available.length - 10} more` : '';
  const held = available.length === 0 ? 'no module' : available.slice(0, 10).join(', ') + more;
  throw new ServeError('service_not_found', `there is no module '${module}'; ${folder} holds ${held}`, {
    details: { module, workingDir, available },
  });
}
