import { existsSync } from 'node:fs';
import { join } from 'node:path';
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
  esm.register({ tsconfig: existsSync(tsconfig) ? tsconfig : false });
}

/**
 * tsx also rewrites JavaScript that is `require`d, ES modules into CommonJS: that would make a second copy of every
 * ES module, this project's libraries too. Node loads JavaScript of both kinds by itself.
 */
function keepJavaScriptNative(native: ReturnType<typeof javaScriptHandler>): void {
  const withTsx = javaScriptHandler();
  if (native === undefined || withTsx === undefined) return;
  setJavaScriptHandler((module, file) => (TYPESCRIPT.test(file) ? withTsx : native)(module, file));
}
