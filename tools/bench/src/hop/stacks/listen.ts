import { once } from 'node:events';
import type { Server } from 'node:net';
import type { Address } from '../stack.js';

/** Listens on a path, or on a free port of 127.0.0.1. */
export async function listen(server: Server, path: string | undefined): Promise<Address> {
  server.listen(path === undefined ? { host: '127.0.0.1', port: 0 } : { path });
  await once(server, 'listening');
  const bound = server.address();
  if (bound === null) throw new Error('a server that listens has an address');
  return typeof bound === 'string' ? { path: bound } : { port: bound.port };
}

/** The raw bytes of a payload, not copied. */
export function bytesOf(payload: Float32Array): Buffer {
  return Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
}
