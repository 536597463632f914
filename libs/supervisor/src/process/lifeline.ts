import type { OwnedFile } from '../socket/unix-path.js';

/** The descriptor on which every child holds its lifeline: a pipe whose other end lives and dies with the parent. */
export const LIFELINE_FD = 4;

/** Removes unix socket files that are still the ones they were; as text, for it runs when this process is gone. */
const REMOVE_FILES = `(files) => {
  const fs = require('node:fs');
  for (const { path, identity } of files) try {
    const { ino, birthtimeMs } = fs.lstatSync(path);
    if (ino + ':' + birthtimeMs === identity) fs.unlinkSync(path);
  } catch {}
}`;

/** The same as a program, with the files as its argument. */
export const REMOVE_FILES_SOURCE = `(${REMOVE_FILES})(JSON.parse(process.argv[1]))`;

/**
 * Runs in a thread of the child, so that it works while the event loop is blocked. It reads asynchronously: a thread
 * that is blocked in a read makes `process.exit()` hang. It kills the group, to take grandchildren along.
 */
const THREAD_SOURCE = `
const { workerData: { pid, files } } = require('node:worker_threads');
const lifeline = new (require('node:net').Socket)({ fd: ${LIFELINE_FD} });
lifeline.on('error', () => {}).on('close', () => {
  (${REMOVE_FILES})(files);
  try { process.kill(-pid, 'SIGKILL'); } catch { process.kill(pid, 'SIGKILL'); }
}).resume();`;

/**
 * The node options that make a child die with its parent, from before its first import and whatever code it runs, and
 * that set its umask, for which `spawn` has no option. They remove themselves from `execArgv`, so that what the child
 * forks does not look for a lifeline.
 */
export function preludeArgs(files: readonly OwnedFile[], umask?: number): readonly string[] {
  const source = [
    `import { isMainThread, Worker } from 'node:worker_threads';`,
    `if (isMainThread) {`,
    `process.execArgv.splice(process.execArgv.indexOf('--import'), 2);`,
    ...(umask === undefined ? [] : [`process.umask(${umask});`]),
    `new Worker(${JSON.stringify(THREAD_SOURCE)}, { eval: true, execArgv: [], env: {},`,
    `workerData: { pid: process.pid, files: ${JSON.stringify(files)} } }).unref();`,
    `}`,
  ].join('\n');
  return ['--import', `data:text/javascript,${encodeURIComponent(source)}`];
}
