import { ServeError } from '@bentots/errors';

import type { WorkerEntries } from './start-options.js';

/** The worker program of one kind. @throws ServeError invalid_option when the caller gave none */
export function pickEntry(workers: WorkerEntries, kind: keyof WorkerEntries): string {
  const entry = workers[kind];
  if (entry !== undefined) return entry;
  throw new ServeError(
    'invalid_option',
    `option 'workers.${kind}' is missing; expected the worker's file, an absolute path`,
    { details: { option: `workers.${kind}` } },
  );
}
