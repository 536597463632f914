import { ServeError } from '@bentots/errors';
import { type ArbiterMessage, isArbiterMessage, type WorkerMessage } from '../ipc.js';

/** The way to the arbiter: messages out, messages with their connections in. */
export interface Channel {
  /** Resolves when the message was handed to the system (or the arbiter is gone, and it does not matter any more). */
  send(message: WorkerMessage): Promise<void>;
  onMessage(take: (message: ArbiterMessage, handle: unknown) => void): void;
}

/** The channel of this process; throws `unavailable` if no arbiter started it. */
export function openChannel(): Channel {
  if (process.send === undefined) {
    throw new ServeError('unavailable', 'this file is a worker: it runs only as the entry of a watcher');
  }
  // No exit on 'disconnect': the lifeline kills the whole group, and an exit that is faster would leave grandchildren.
  return {
    send: (message) =>
      new Promise((resolve) => {
        if (process.connected) process.send?.(message, undefined, undefined, () => resolve());
        else resolve();
      }),
    onMessage: (take) => {
      process.on('message', (message, handle: unknown) => {
        if (isArbiterMessage(message)) take(message, handle);
      });
    },
  };
}
