import type { Socket } from 'node:net';

/** What a client of the hop says first; anything else is taken for HTTP. */
const PREFACE = Buffer.from('BTS1', 'latin1');

/** A client that says nothing for so long is let go. */
const SILENCE_MS = 30_000;

/** The protocol that a fresh connection speaks. */
export type SpokenProtocol = 'frames' | 'http';

/**
 * Waits for the first bytes of a connection and tells which protocol they begin. The bytes are put back: whoever takes
 * the socket over reads all of them. A connection that ends or stays silent before is destroyed, and never told.
 */
export function sniffProtocol(socket: Socket, tell: (protocol: SpokenProtocol) => void): void {
  const silence = setTimeout(() => socket.destroy(), SILENCE_MS);
  silence.unref();
  const leave = (): void => {
    clearTimeout(silence);
    socket.off('readable', look);
    socket.off('end', giveUp);
    socket.off('error', giveUp);
    socket.off('close', leave);
  };
  const giveUp = (): void => {
    leave();
    socket.destroy();
  };
  // Kept here until it is clear: bytes that were put back would be told as readable again, at once and for ever.
  const chunks: Buffer[] = [];
  const look = (): void => {
    const chunk: unknown = socket.read();
    if (!Buffer.isBuffer(chunk)) return;
    chunks.push(chunk);
    const bytes = chunks.length === 1 ? chunk : Buffer.concat(chunks);
    const protocol = recognise(bytes);
    if (protocol === undefined) return;
    leave();
    socket.unshift(bytes);
    tell(protocol);
  };
  socket.on('readable', look);
  socket.on('end', giveUp);
  socket.on('error', giveUp);
  socket.on('close', leave);
}

/** Undefined while the bytes could still become the preface. */
export function recognise(bytes: Uint8Array): SpokenProtocol | undefined {
  const length = Math.min(bytes.length, PREFACE.length);
  if (!PREFACE.subarray(0, length).equals(bytes.subarray(0, length))) return 'http';
  return length === PREFACE.length ? 'frames' : undefined;
}
