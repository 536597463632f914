import { relative } from 'node:path';
import type { Service } from '@bentots/service';
import { importModule } from './import-module.js';
import { formatLocation, locateService } from './locate-service.js';
import { pickService } from './pick-service.js';
import { resolveWorkingDir } from './working-dir.js';

/** A service in this process, and how to load the same one in another. */
export interface LoadedService {
  readonly service: Service;
  /** Finds the same service from {@link workingDir}: `src/service.ts:svc`. */
  readonly identifier: string;
  /** The module file, absolute, with links resolved. */
  readonly file: string;
  /** Absolute, with links resolved; the project directory when the identifier named one. */
  readonly workingDir: string;
}

/**
 * Loads the service that `identifier` names, seen from `workingDir` and never from outside it: `module[:attribute]`
 * (`pkg.service:svc`, `src/service.ts`), or a project directory, which then is the working directory. TypeScript and
 * JavaScript are run straight from source.
 *
 * @throws ServeError `invalid_option` (malformed identifier or working directory), `invalid_config` (bentofile.yaml),
 *   `service_not_found`, `service_broken` (with file and line) or `service_invalid`.
 */
export async function loadService(identifier: string, workingDir: string): Promise<LoadedService> {
  const location = await locateService(identifier, await resolveWorkingDir(workingDir));
  const exports = await importModule(location.file, location.workingDir);
  const service = pickService(exports, location.attribute, relative(location.workingDir, location.file));
  return {
    service,
    identifier: formatLocation(location),
    file: location.file,
    workingDir: location.workingDir,
  };
}
