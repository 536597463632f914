import type { WorkerInit } from '../ipc.js';
import { openChannel } from './channel.js';
import { AttachedWorker, type Worker } from './worker.js';

let attached: Promise<Worker> | undefined;

/** How a worker attaches. */
export interface AttachOptions {
  /**
   * Run in a spare, which does not know yet who it is: whatever makes a later start quicker. What it throws counts for
   * nothing: then the later start is slower, or fails by itself.
   */
  readonly warmUp?: () => void | Promise<void>;
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
  const worker = await new Promise<AttachedWorker>((resolve) => {
    channel.onMessage((message, handle) => {
      if (message.supervisor === 'init') resolve((current = new AttachedWorker(message, channel)));
      else if (message.supervisor === 'spare') warm = runWarmUp(warmUp);
      else current?.receive(message, handle);
    });
    let current: AttachedWorker | undefined;
    void channel.send({ supervisor: 'hello' });
  });
  // What is half warm is finished first: the worker would do the same again beside it.
  await warm;
  return worker;
}

async function runWarmUp(warmUp: AttachOptions['warmUp']): Promise<void> {
  try {
    await warmUp?.();
  } catch {
    // The worker meets the same problem when it really starts, and can tell it then.
  }
}

export type { WorkerInit };
