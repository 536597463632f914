import { createRequire, register } from 'node:module';
import { pathToFileURL } from 'node:url';
import { redirectRequire, requireHere } from './commonjs.js';

const SERVICE = '@bentots/service';
const ERRORS = '@bentots/errors';

let isRedirected = false;

/**
 * The library must exist once per process, as what it remembers (the current call, say) is in its modules.
 * Makes the service module at `file` get this process's copy of the library, although another copy, or none, is
 * installed where it stands. Does nothing, and costs nothing, in the usual case that both are the same.
 */
export function shareOwnCopy(file: string): void {
  if (isRedirected) return;
  const requireThere = createRequire(file);
  const own = { [SERVICE]: requireHere.resolve(SERVICE), [ERRORS]: requireHere.resolve(ERRORS) };
  // A service need not name the errors package: that it finds none is no difference.
  const errorsThere = tryResolve(requireThere, ERRORS) ?? own[ERRORS];
  if (tryResolve(requireThere, SERVICE) === own[SERVICE] && errorsThere === own[ERRORS]) return;
  isRedirected = true;
  redirectRequire(own);
  const urls = Object.fromEntries(
    Object.entries(own).map(([name, path]) => [name, pathToFileURL(path).href]),
  );
  register('./same-copy-hooks.js', { parentURL: import.meta.url, data: urls });
}

function tryResolve(requireThere: NodeJS.Require, name: string): string | undefined {
  try {
    return requireThere.resolve(name);
  } catch {
    return undefined;
  }
}
