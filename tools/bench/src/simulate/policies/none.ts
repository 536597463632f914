import { createDecidingBatcher, type Policy } from '../policy.js';

/** Every request alone. */
export const noBatching: Policy = {
  name: 'no batching',
  create: (machine) => createDecidingBatcher(machine, () => ({ run: 1 })),
};
