import type { HttpWorkerData } from '@bentots/config';
import { attach } from '@bentots/supervisor/child';
import { runWorker } from './run-worker.js';
import { warmUp } from './warm-up.js';

// The child's door: a process of the HTTP edge, started by the supervisor.
const worker = await attach({ warmUp: (data) => warmUp(data as HttpWorkerData) });
try {
  // The plan's data for this entry, written by `planHttpServer`: both ends are typed as HttpWorkerData.
  await runWorker(worker, worker.data as HttpWorkerData);
} catch (error) {
  await worker.fail(error);
}
