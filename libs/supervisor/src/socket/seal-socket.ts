import { setImmediate } from 'node:timers/promises';
import type { BoundSocket } from './bound-socket.js';
import type { RawServerHandle } from './raw-handle.js';

/** Waits until a socket that is accepting here has nothing left to accept; the caller closes it in the same turn. */
export async function sealSocket(_address: BoundSocket['address'], _handle: RawServerHandle): Promise<void> {
  // Each turn of the event loop polls once and accepts all that waits.
  await setImmediate();
  await setImmediate();
}
