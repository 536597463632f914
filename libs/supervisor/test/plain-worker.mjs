// A worker without HTTP: repeats what a client says, once the client has said all.
import net from 'node:net';
import { attach } from '../dist/child/index.js';

const worker = await attach();
const server = net.createServer({ allowHalfOpen: true }, async (socket) => {
  const chunks = await socket.toArray();
  socket.end(Buffer.concat(chunks));
});
await worker.serve('inner', server);
worker.ready();
