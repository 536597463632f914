import type { WorkerInit } from '../ipc.js';
import { openChannel } from './channel.js';
import { AttachedWorker, type Worker } from './worker.js';

let attached: Promise<Worker> | undefined;

/** How a worker attaches. */
export interface AttachOptions {
  /**
   * Run in a spare, which is not told yet to be a worker: whatever makes its start quicker. `data` is what the workers of
   * its watcher have now. What it throws counts for nothing: then the start is slower, or fails by itself.
   */
  readonly warmUp?: (data: unknown) => void | Promise<void>;
}

/**
 * Says hello to the arbiter and resolves when it has answered who this worker is; a spare waits here. The first thing that
 * a worker does; called again, it returns the same worker. Throws `unavailable` in a process that no arbiter started.
 */
export function attach(options: AttachOptions = {}): Promise<Worker> {
  attached ??= greet(options);
  return attached;
}

async function greet({ warmUp }: AttachOptions): Promise<Worker> {
  const channel = openChannel();
  let warm: Promise<void> | undefined;
  const tellWarm = (): Promise<void> => channel.send({ supervisor: 'warm' });
  const worker = await new Promise<AttachedWorker>((resolve) => {
    channel.onMessage((message, handle) => {
      if (message.supervisor === 'init') current = new AttachedWorker(message, channel);
      else if (message.supervisor === 'spare') warm = runWarmUp(warmUp, message.data).then(tellWarm);
      else current?.receive(message, handle);
      // It follows `init`, so that no worker ever sees an empty tree.
      if (message.supervisor === 'tree' && current !== undefined) resolve(current);
    });
    let current: AttachedWorker | undefined;
    void channel.send({ supervisor: 'hello' });
  });
  // What is half warm is finished first: the worker would do the same again beside it.
  await warm;
  return worker;
}

async function runWarmUp(warmUp: AttachOptions['warmUp'], data: unknown): Promise<void> {
  try {
    await warmUp?.(data);
  } catch {
    // The worker meets the same problem when it really starts, and can tell it then.
  }
}

export type { WorkerInit };
