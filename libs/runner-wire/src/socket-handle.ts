import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/** Where a socket's bytes are to go. */
export interface ReadTarget {
  /** Memory for the next bytes; never empty. */
  room(): Buffer;
  /** So many bytes were put at the beginning of the last room. */
  onRead(bytes: number): void;
}

/** The properties of a net.Socket in which its option `onread` is kept. */
const SLOTS = ['kBuffer', 'kBufferCb', 'kBufferGen'] as const;

/**
 * Lets the kernel put a socket's bytes where they are wanted, without a buffer and a copy in between: what the option
 * `onread` of net.connect does, for sockets that a server has accepted, too. These have no such option, so that it is
 * set as net.connect sets it. Nothing may be left to read in the socket.
 *
 * @returns false when this version of Node does it in another way, and for TLS: the socket must be read from as usual.
 */
export function readDirectly(socket: Socket, target: ReadTarget): boolean {
  const handle = handleOf(socket);
  if (socket instanceof TLSSocket || handle === undefined) return false;
  const useUserBuffer: unknown = Reflect.get(handle, 'useUserBuffer');
  const symbols = Object.getOwnPropertySymbols(socket);
  const [buffer, onRead, next] = SLOTS.map((name) => symbols.find(({ description }) => description === name));
  if (buffer === undefined || onRead === undefined || next === undefined) return false;
  if (typeof useUserBuffer !== 'function') return false;
  const room = target.room();
  Reflect.set(socket, buffer, room);
  Reflect.set(socket, onRead, (bytes: number) => {
    target.onRead(bytes);
    return true;
  });
  Reflect.set(socket, next, () => target.room());
  Reflect.apply(useUserBuffer, handle, [room]);
  // A socket that is over may be kept for long.
  socket.once('close', () => Reflect.set(socket, buffer, null));
  socket.resume();
  return true;
}

/** Bytes that were given to the kernel and not taken by it yet; 0 when that is not known. */
export function unsentBytes(socket: Socket): number {
  const handle = handleOf(socket);
  const bytes: unknown = handle && Reflect.get(handle, 'writeQueueSize');
  return typeof bytes === 'number' ? bytes : 0;
}

/** What Node calls the kernel with; it is where the whole of a socket's state is. */
function handleOf(socket: Socket): object | undefined {
  const handle: unknown = Reflect.get(socket, '_handle');
  return typeof handle === 'object' && handle !== null ? handle : undefined;
}
