import type { Socket } from 'node:net';
import { PREFACE } from './frames/frame.js';

/** How the bytes of a connection begin: with the preface of the runner wire, otherwise, or never. */
export type DetectedProtocol = 'wire' | 'other' | 'closed';

/** Bytes that tell: `BTS1`. */
const TELLING_BYTES = 4;

/**
 * Looks at the first bytes of a socket and puts them back, so that one port can serve the runner wire and HTTP.
 * `wire`: give it to a ServerConnection; `other`: to an HTTP server's `connection` event; `closed`: the peer left, or
 * said nothing for `timeoutMs`, and the socket is destroyed. Never rejects.
 */
export function detectProtocol(socket: Socket, timeoutMs = 10_000): Promise<DetectedProtocol> {
  return new Promise((resolve) => {
    const seen: Buffer[] = [];
    const decide = (protocol: DetectedProtocol): void => {
      clearTimeout(timer);
      socket.off('readable', onReadable).off('error', onEnd).off('close', onEnd).off('end', onEnd);
      if (protocol === 'closed') socket.destroy();
      else socket.unshift(Buffer.concat(seen));
      resolve(protocol);
    };
    const onEnd = (): void => decide('closed');
    const onReadable = (): void => {
      const bytes: Buffer | null = socket.read();
      if (bytes === null) return;
      seen.push(bytes);
      const head = Buffer.concat(seen).subarray(0, TELLING_BYTES);
      if (!head.every((byte, i) => byte === PREFACE[i])) decide('other');
      else if (head.length === TELLING_BYTES) decide('wire');
    };
    const timer = setTimeout(onEnd, timeoutMs);
    timer.unref();
    socket.on('readable', onReadable).on('error', onEnd).on('close', onEnd).on('end', onEnd);
  });
}
