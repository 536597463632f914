import { locateService } from './locate-service.js';
import { registerTypeScript } from './typescript.js';
import { resolveWorkingDir } from './working-dir.js';

/**
 * Makes a later {@link loadService} of the same service quicker, without running anything of it: half of the time goes
 * into being able to read TypeScript at all.
 */
export async function warmUpLoader(identifier: string, workingDir: string): Promise<void> {
  const { file, workingDir: dir } = await locateService(identifier, await resolveWorkingDir(workingDir));
  // Only if the service would do it too: what works in development must work elsewhere.
  if (/\.[cm]?ts$/.test(file)) await registerTypeScript(dir);
}
