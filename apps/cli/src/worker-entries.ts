import { fileURLToPath } from 'node:url';

import type { WorkerEntries } from '@bentots/start';

/** The worker programs of the server apps, wherever they are installed. */
export const WORKER_ENTRIES: Required<WorkerEntries> = {
  runner: fileURLToPath(import.meta.resolve('@bentots/runner-server/worker')),
  dispatcher: fileURLToPath(import.meta.resolve('@bentots/runner-server/dispatcher')),
  http: fileURLToPath(import.meta.resolve('@bentots/http-api/worker')),
  grpc: fileURLToPath(import.meta.resolve('@bentots/grpc-api/worker')),
};
