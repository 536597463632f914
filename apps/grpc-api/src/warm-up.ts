import type { GrpcWorkerData } from '@bentots/config';
import { Service } from '@bentots/service';
import { warmUpLoader } from '@bentots/service-loader';
import { createGrpcApi } from './create-grpc-api.js';
import { PROTOCOLS } from './protocols.js';

/**
 * What a process that waits to be a worker does meanwhile: it composes an edge for nobody, so that everything that is
 * loaded on the way is there, and gets ready to read the service.
 */
export async function warmUp(data: GrpcWorkerData): Promise<void> {
  const { identifier, workingDir } = data.target;
  const api = await createGrpcApi({
    protocol: PROTOCOLS[data.protocolVersion],
    service: new Service('nobody'),
    readiness: () => Promise.resolve({}),
    state: {},
    timeoutMs: data.timeoutMs,
    maxMessageBytes: data.maxMessageBytes,
    channelz: data.channelz,
    reflection: data.reflection,
    onCallEnd: () => undefined,
  });
  await api.drain(AbortSignal.abort());
  await warmUpLoader(identifier, workingDir);
}
