import type { Server } from '@grpc/grpc-js';
import type { GrpcConnections } from './connections.js';
import type { Health } from './health.js';
import type { InFlight } from './in-flight.js';

/** What is drained. */
export interface DrainParts {
  readonly server: Server;
  readonly health: Health;
  readonly inFlight: InFlight;
  readonly connections: GrpcConnections;
}

/** How long connections may take to flush and close once no call is being answered. */
const FLUSH_MS = 1000;

/**
 * Ends the gRPC server so that no call in flight is lost: health says NOT_SERVING, every connection is told to go away,
 * the calls are answered, the connections close. What still runs when `signal` aborts is cut.
 */
export async function drainGrpc(parts: DrainParts, signal: AbortSignal): Promise<void> {
  const { server, health, inFlight, connections } = parts;
  health.drain();
  const shutdown = new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
  // After it, as it forgets what it was told to shut down.
  connections.beginLate();
  await Promise.race([inFlight.idle(), aborted(signal)]);
  health.endWatches();
  connections.endLate();
  // Both: the shutdown calls back too early when a client closed its side first, with answers still to be written.
  const flushed = Promise.all([shutdown, inFlight.idle(), connections.closed()]);
  await Promise.race([flushed, aborted(signal), aborted(AbortSignal.timeout(FLUSH_MS))]);
  server.forceShutdown();
  connections.destroy();
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
