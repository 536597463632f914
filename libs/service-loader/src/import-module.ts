import { extname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { requireHere } from './commonjs.js';
import { explainImportError } from './explain-import-error.js';
import { shareOwnCopy } from './same-copy.js';
import { registerTypeScript } from './typescript.js';

/** What a module exports, by name; a CommonJS `module.exports` that is itself the thing counts as `default`. */
export type ModuleExports = Readonly<Record<string, unknown>>;

/**
 * Runs the module at `file` (absolute, links resolved) and returns its exports. TypeScript and JavaScript, ES modules
 * and CommonJS; a module already loaded in this process is not run again.
 *
 * @throws ServeError `service_broken` that names the place in the user's code.
 */
export async function importModule(file: string, workingDir: string): Promise<ModuleExports> {
  if (/\.[cm]?ts$/.test(file)) await registerTypeScript(workingDir);
  shareOwnCopy(file);
  const echoes = swallowEchoes();
  try {
    // Node 20 hands out a broken `require` to CommonJS TypeScript that is imported.
    const exports: unknown =
      extname(file) === '.cts' ? requireHere(file) : await import(pathToFileURL(file).href);
    const loaded: unknown = requireHere.cache[file]?.exports ?? exports;
    return isPlainExports(loaded) ? loaded : { default: loaded };
  } catch (error) {
    echoes.of(error);
    throw await explainImportError(error, file, workingDir);
  } finally {
    echoes.stop();
  }
}

function isPlainExports(value: unknown): value is ModuleExports {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/**
 * Node 20 reports the error of a CommonJS module that an ES module imports twice: by the import, and once more as an
 * unhandled rejection that would end the process. The second is swallowed; all other rejections end it as ever.
 */
function swallowEchoes(): { of(error: unknown): void; stop(): void } {
  const heard: unknown[] = [];
  const listen = (reason: unknown): void => {
    if (!heard.includes(reason)) throw reason;
  };
  process.on('unhandledRejection', listen);
  return {
    of: (error) => void heard.push(error),
    stop: () => void setImmediate(() => process.off('unhandledRejection', listen)),
  };
}
