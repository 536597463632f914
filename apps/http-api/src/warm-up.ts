import type { HttpWorkerData } from '@bentots/config';
import { Service } from '@bentots/service';
import { warmUpLoader } from '@bentots/service-loader';
import { createLogger } from '@bentots/telemetry';
import { createEdge } from './create-edge.js';

/**
 * What a process that waits to be a worker does meanwhile: it composes an edge for nobody, so that everything that Nest
 * and Fastify load on the way is there, and gets ready to read the service. Three quarters of a start are over then.
 */
export async function warmUp(data: HttpWorkerData): Promise<void> {
  const { identifier, workingDir } = data.target;
  const edge = await createEdge({
    service: new Service('nobody'),
    endpoints: new Map(),
    readiness: { isDraining: () => false, crashLooping: () => [], readiness: () => Promise.resolve({}) },
    log: createLogger({ component: 'api_server', level: 'silent' }),
    access: false,
    keepAliveMs: data.keepAliveMs,
    maxBodyBytes: data.maxBodyBytes,
    hasConcurrencyLimit: false,
  });
  await edge.close();
  await warmUpLoader(identifier, workingDir);
}
