import { createServer, type IncomingMessage } from 'node:http';
import { Pool } from 'undici';
import type { Stack } from '../stack.js';
import { bytesOf, listen } from './listen.js';

/** HTTP/1.1 over kept connections, one for each call in flight. */
export const undici: Stack = {
  name: 'undici → node:http',
  serve(at) {
    const server = createServer({ keepAliveTimeout: 600_000 }, async (request, response) => {
      const body = await readBody(request);
      response.writeHead(200, {
        'content-type': 'application/octet-stream',
        'content-length': body.byteLength,
      });
      response.end(body);
    });
    return listen(server, at.transport === 'unix' ? at.path : undefined);
  },
  async connect(address, concurrency, payload) {
    const origin = 'path' in address ? 'http://localhost' : `http://127.0.0.1:${address.port}`;
    const connect = 'path' in address ? { socketPath: address.path } : {};
    const pool = new Pool(origin, { connections: concurrency, pipelining: 1, connect });
    const body = bytesOf(payload);
    const headers = { 'content-type': 'application/octet-stream' };
    return {
      async call() {
        const response = await pool.request({ path: '/echo', method: 'POST', headers, body });
        return (await response.body.arrayBuffer()).byteLength;
      },
      close: () => pool.destroy(),
    };
  },
};

/** Reads into one buffer of the announced length: nothing is joined. */
async function readBody(request: IncomingMessage): Promise<Buffer> {
  const body = Buffer.allocUnsafe(Number(request.headers['content-length']));
  let filled = 0;
  request.on('data', (chunk: Buffer) => void (filled += chunk.copy(body, filled)));
  await new Promise((resolve, reject) => request.once('end', resolve).once('error', reject));
  return body;
}
