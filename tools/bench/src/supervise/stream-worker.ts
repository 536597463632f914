import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Server, ServerCredentials, type ServerWritableStream } from '@grpc/grpc-js';
import { attach } from '@bentots/supervisor/child';
import { countUp, type StreamMessage, type StreamRequest } from './stream.js';

// A supervised gRPC server whose only method streams; it is drained as the gRPC edge drains its own server.
const worker = await attach();
const server = new Server();
const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
const listener = net.createServer((socket) => injector.injectConnection(socket));
let inFlight = 0;
let onIdle: () => void = () => undefined;

async function stream(call: ServerWritableStream<StreamRequest, StreamMessage>): Promise<void> {
  inFlight += 1;
  const { id, count, everyMs } = call.request;
  for (let n = 0; n < count && !call.cancelled; n += 1) {
    call.write({ id, n });
    await sleep(everyMs);
  }
  call.end();
  inFlight -= 1;
  if (inFlight === 0) onIdle();
}

server.addService(
  { countUp },
  { countUp: (call: ServerWritableStream<StreamRequest, StreamMessage>) => void stream(call) },
);
worker.onDrain(async (signal) => {
  const shutdown = new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
  const idle = inFlight === 0 ? Promise.resolve() : new Promise<void>((resolve) => (onIdle = resolve));
  const late = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
  // Both: the shutdown calls back while streams are being sent when a client closed its side first.
  await Promise.race([Promise.all([shutdown, idle]), late]);
  server.forceShutdown();
});
await worker.serve('grpc', listener);
worker.ready();
