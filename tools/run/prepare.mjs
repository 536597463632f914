// What a fresh clone needs before anything can run. Imports nothing but Node, as nothing else may be installed yet.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The workspace's folder. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

const NODE_NEEDED = [20, 19];
const stamp = new URL('../../node_modules/.installed-lock', import.meta.url);
const lock = new URL('../../package-lock.json', import.meta.url);

/** Runs a program in the workspace with its output shown; rejects when it fails. */
export function run(command, args, env = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } });
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`${command} ${args.join(' ')} ended with ${signal ?? `exit code ${code}`}`));
    });
  });
}

/** Runs Nx itself, not through npx: a signal to npx would not reach it. */
export function nx(...args) {
  return run(process.execPath, ['node_modules/nx/dist/bin/nx.js', ...args]);
}

/** Installs the packages of the lock file, only when they are not the ones installed. */
export async function install() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < NODE_NEEDED[0] || (major === NODE_NEEDED[0] && minor < NODE_NEEDED[1])) {
    throw new Error(`Node ${NODE_NEEDED.join('.')} or newer is needed; this is ${process.versions.node}`);
  }
  const wanted = createHash('sha256').update(readFileSync(lock)).digest('hex');
  if (installedLock() === wanted) return;
  say('installing packages');
  await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']);
  writeFileSync(stamp, wanted);
}

/** One line that says which step begins. */
export function say(step) {
  console.log(`\n• ${step}`);
}

/** Runs a script's main function; a failure is one line and exit code 1. */
export async function main(script) {
  try {
    await script();
  } catch (error) {
    console.error(`\nerror: ${error.message}`);
    process.exitCode = error.exitCode ?? 1;
  }
}

function installedLock() {
  try {
    return readFileSync(stamp, 'utf8');
  } catch {
    return undefined;
  }
}
