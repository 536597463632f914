import type { WorkerInit } from '../ipc.js';
import { openChannel } from './channel.js';
import { AttachedWorker, type Worker } from './worker.js';

let attached: Promise<Worker> | undefined;

/**
 * Says hello to the arbiter and resolves when it has answered who this worker is. The first thing that a worker does;
 * called again, it returns the same worker. Throws `unavailable` in a process that no arbiter started.
 */
export function attach(): Promise<Worker> {
  attached ??= greet();
  return attached;
}

async function greet(): Promise<Worker> {
  const channel = openChannel();
  const worker = await new Promise<AttachedWorker>((resolve) => {
    channel.onMessage((message, handle) => {
      if (message.supervisor === 'init') resolve((current = new AttachedWorker(message, channel)));
      else current?.receive(message, handle);
    });
    let current: AttachedWorker | undefined;
    void channel.send({ supervisor: 'hello' });
  });
  return worker;
}

export type { WorkerInit };
