import Module, { createRequire } from 'node:module';

/** The two tables of Node's CommonJS loader that loaders such as tsx replace entries of; Node has no API for them. */
interface CommonJsTables {
  /** How a file with this ending becomes `module.exports`; `.js` also stands for endings that have no entry. */
  readonly _extensions: Record<string, (module: NodeJS.Module, file: string) => void>;
  _resolveFilename(request: string, ...rest: unknown[]): string;
}

const tables = Module as unknown as CommonJsTables;

/** This process's `require`, seen from this library. */
export const requireHere = createRequire(import.meta.url);

/** The current handler of `.js`, which Node also gives all files of unknown endings. */
export function javaScriptHandler(): CommonJsTables['_extensions'][string] | undefined {
  return tables._extensions['.js'];
}

/** Replaces the handler of `.js`. */
export function setJavaScriptHandler(handler: CommonJsTables['_extensions'][string]): void {
  tables._extensions['.js'] = handler;
}

/** Makes `require(name)` mean `files[name]`, from wherever it is called. */
export function redirectRequire(files: Readonly<Record<string, string>>): void {
  const resolveFilename = tables._resolveFilename;
  tables._resolveFilename = (request, ...rest) =>
    files[request] ?? resolveFilename.call(Module, request, ...rest);
}
