import type { GrpcWorkerData } from '@bentots/config';
import { attach } from '@bentots/supervisor/child';
import { runWorker } from './run-worker.js';
import { warmUp } from './warm-up.js';

// The child's door: a process of the gRPC edge, started by the supervisor.
const worker = await attach({ warmUp: (data) => warmUp(data as GrpcWorkerData) });
try {
  // The plan's data for this entry, written by `planGrpcServer`: both ends are typed as GrpcWorkerData.
  await runWorker(worker, worker.data as GrpcWorkerData);
} catch (error) {
  // While it stops, what broke is the waiting; the drain ends the process.
  if (!worker.draining) await worker.fail(error);
}
