import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ServeError } from '@bentots/errors';
import { javaScriptHandler, setJavaScriptHandler } from './commonjs.js';

const TYPESCRIPT = /\.[cm]?tsx?$/;

let isRegistered = false;

/**
 * Teaches this process to `import` and `require` TypeScript, with the `paths` of the project's `tsconfig.json`. Once per
 * process: the first caller's project counts, as a process serves one service. Costs some 200 ms.
 */
export async function registerTypeScript(workingDir: string): Promise<void> {
  if (isRegistered) return;
  isRegistered = true;
  const native = javaScriptHandler();
  const [esm, cjs] = await Promise.all([import('tsx/esm/api'), import('tsx/cjs/api')]);
  cjs.register();
  keepJavaScriptNative(native);
  const tsconfig = join(workingDir, 'tsconfig.json');
  try {
    esm.register({ tsconfig: existsSync(tsconfig) ? tsconfig : false });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ServeError('service_broken', `${tsconfig} cannot be used: ${reason}`, { cause: error });
  }
}

/**
 * tsx also rewrites JavaScript that is `require`d, ES modules into CommonJS: that would make a second copy of every
 * ES module, this project's libraries too. Node loads JavaScript of both kinds by itself; only ES syntax in a `.js`
 * that no package.json calls a module is beyond Node 20 while tsx's hooks are there.
 */
function keepJavaScriptNative(native: ReturnType<typeof javaScriptHandler>): void {
  const withTsx = javaScriptHandler();
  if (native === undefined || withTsx === undefined) return;
  setJavaScriptHandler((module, file) => {
    if (TYPESCRIPT.test(file)) return withTsx(module, file);
    try {
      native(module, file);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ERR_REQUIRE_CYCLE_MODULE'))
        throw error;
      withTsx(module, file);
    }
  });
}
