import { createDecidingBatcher, type Policy } from '../policy.js';

/** An idle runner takes at once whatever is queued. */
export const idleDispatch: Policy = {
  name: 'dispatch when idle',
  create: (machine) => createDecidingBatcher(machine, ({ queued }) => ({ run: queued })),
};
