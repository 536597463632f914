import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Stack } from '../stack.js';
import { bytesOf, listen } from './listen.js';

/**
 * The floor: the payload's bytes and nothing else on one socket, sent back as they come, with one write per turn of
 * the event loop. It knows no calls: answers are told apart by counting.
 */
export const raw: Stack = {
  name: 'raw socket',
  serve(at) {
    const server = createServer({ noDelay: true }, (socket) => {
      socket.on('data', (chunk) => socket.write(chunk));
      socket.on('error', () => socket.destroy());
    });
    return listen(server, at.transport === 'unix' ? at.path : undefined);
  },
  async connect(address, _concurrency, payload) {
    const bytes = bytesOf(payload);
    const waiting: ((received: number) => void)[] = [];
    let missing = bytes.length;
    const count = (received: number): void => {
      let left = received;
      for (; left >= missing; missing = bytes.length) {
        left -= missing;
        waiting.shift()?.(bytes.length);
      }
      missing -= left;
    };
    const where = 'path' in address ? address : { ...address, host: '127.0.0.1' };
    const onread = {
      buffer: Buffer.alloc(64 * 1024),
      callback: (received: number) => (count(received), true),
    };
    const socket = connect({ ...where, noDelay: true, onread });
    await once(socket, 'connect');
    let corked = false;
    const cork = (): void => {
      corked = true;
      socket.cork();
      process.nextTick(() => {
        corked = false;
        socket.uncork();
      });
    };
    return {
      call() {
        if (!corked) cork();
        socket.write(bytes);
        return new Promise((resolve) => waiting.push(resolve));
      },
      close: async () => void socket.destroy(),
    };
  },
};
