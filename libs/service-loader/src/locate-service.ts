import { relative, resolve } from 'node:path';
import { parseIdentifier } from './identifier.js';
import { findModuleFile, kindOfPath } from './module-file.js';
import { type ServiceLocation, findInProjectDir, refuseProjectDir } from './project-dir.js';
import { expandHome } from './working-dir.js';

/**
 * Finds what `identifier` means, without loading it: a project directory first (it becomes the working directory), then
 * a file or module inside `workingDir`.
 *
 * @throws ServeError `invalid_option`, `invalid_config`, `service_not_found` or `service_invalid`.
 */
export async function locateService(identifier: string, workingDir: string): Promise<ServiceLocation> {
  const { module, attribute } = await splitIdentifier(identifier, workingDir);
  const path = resolve(workingDir, expandHome(module));
  if ((await kindOfPath(path)) !== 'directory') {
    return { file: await findModuleFile(module, workingDir), attribute, workingDir };
  }
  const inProject = await findInProjectDir(path, attribute);
  if (inProject !== undefined) return inProject;
  // `pkg` may be a folder with an index, or stand beside a `pkg.ts`, when it is no project.
  const file = await findModuleFile(module, workingDir).catch(() => refuseProjectDir(path));
  return { file, attribute, workingDir };
}

/** The identifier that finds the same service again from the location's working directory. */
export function formatLocation(location: ServiceLocation): string {
  const file = relative(location.workingDir, location.file);
  return location.attribute === undefined ? file : `${file}:${location.attribute.join('.')}`;
}

/** A path that exists may hold colons; only what is none is split. */
async function splitIdentifier(
  identifier: string,
  workingDir: string,
): Promise<ReturnType<typeof parseIdentifier>> {
  const exists = identifier.trim() !== '' && !identifier.includes('\0');
  if (exists && (await kindOfPath(resolve(workingDir, expandHome(identifier)))) !== undefined) {
    return { module: identifier, attribute: undefined };
  }
  return parseIdentifier(identifier);
}
