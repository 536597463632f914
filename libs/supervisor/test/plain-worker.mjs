// A worker without HTTP: repeats what a client says, once the client has said all.
import net from 'node:net';
import { attach } from '../dist/child/index.js';

const worker = await attach();
const server = net.createServer({ allowHalfOpen: true }, (socket) => {
  const chunks = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  // Later, when Node would have closed a connection that may not be half open.
  socket.on('end', () => setTimeout(() => socket.end(Buffer.concat(chunks)), 20));
});
await worker.serve('inner', server);
worker.ready();
