// A worker without HTTP: repeats what a client says, once the client has said all.
import net from 'node:net';
import { attach } from '../dist/child/index.js';

const worker = await attach();
const server = net.createServer({ allowHalfOpen: true }, (socket) => {
  const chunks = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('end', () => socket.end(Buffer.concat(chunks)));
});
await worker.serve('inner', server);
worker.ready();
