import { ChildProcess } from 'node:child_process';

/**
 * Node tells some failures of a spawn by an event, and throws others (no memory for a fork, too large an environment). Here
 * all are told by an event: a spawn may be part of a restart that nobody waits for.
 */
export function trySpawn(spawn: () => ChildProcess): ChildProcess {
  try {
    return spawn();
  } catch (error) {
    const child = new ChildProcess();
    process.nextTick(() => child.emit('error', error));
    return child;
  }
}
