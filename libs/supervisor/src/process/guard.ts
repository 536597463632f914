import { type ChildProcess, spawn } from 'node:child_process';
import type { OwnedFile } from '../socket/unix-path.js';
import { REMOVE_FILES_SOURCE } from './lifeline.js';
import { trySpawn } from './try-spawn.js';

/**
 * Stands beside a program that knows nothing of lifelines: a shell that waits until its standard input ends, which it
 * does when the arbiter is gone, and then kills the program's group. Only if there are socket files it starts node to
 * remove them, as shells cannot tell an old file from a new one.
 */
const GUARD = `
trap '' HUP INT QUIT TERM
while read -r _; do :; done
kill -s KILL -- "-$1"
[ "$4" = '[]' ] || exec "$2" -e "$3" "$4"`;

/** A guard that dies is replaced; after a moment, lest one that cannot live keeps us busy. */
const REPLACE_MS = 100;

/**
 * Kills the process group of `pid` when this process is gone, however it ends. Returns what ends the guard; to be
 * called at once when the process has ended, for its number may be used again.
 */
export function guardGroup(pid: number, files: readonly OwnedFile[]): () => void {
  let isDismissed = false;
  let guard: ChildProcess;
  const start = (): void => {
    if (isDismissed) return;
    const args = [String(pid), process.execPath, REMOVE_FILES_SOURCE, JSON.stringify(files)];
    // In a session of its own, for Ctrl-C and the kill of our own group must not end it before us.
    guard = trySpawn(() =>
      spawn('/bin/sh', ['-c', GUARD, 'guard', ...args], {
        stdio: ['pipe', 'ignore', 'ignore'],
        detached: true,
        env: {},
      }),
    );
    guard.stdin?.on('error', () => undefined);
    const replace = (): unknown => setTimeout(start, REPLACE_MS).unref();
    guard.once('exit', replace);
    guard.once('error', () => {
      if (guard.pid === undefined) replace();
    });
    if (guard.pid !== undefined) guard.unref();
  };
  start();
  return () => {
    isDismissed = true;
    guard.kill('SIGKILL');
  };
}
