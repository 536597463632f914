import type { IncomingMessage } from 'node:http';
import { ServeError } from '@bentots/errors';

/** How long the rest of a refused body is read away, so that its sender gets to see the answer. */
const LINGER_MS = 5_000;

/** Gets the body, or why there is none. */
export type BodyCallback = (error: ServeError | null, body?: Buffer) => void;

/**
 * Reads a whole request body. A body of known length is received into one buffer of that size, and one that came in a
 * single piece is not copied at all.
 *
 * Over `maxBytes` it gives up with `payload_too_large`: at once when Content-Length says so, else as soon as that many
 * bytes came. What follows is then read away for a while and dropped.
 */
export function readBody(request: IncomingMessage, maxBytes: number, done: BodyCallback): void {
  const announced = request.headers['content-length'];
  const length = announced === undefined ? undefined : Number(announced);
  if (length !== undefined && length > maxBytes) {
    dropRest(request);
    done(tooLarge(maxBytes, length));
    return;
  }
  const body = length === undefined ? new GrowingBody() : new SizedBody(length);
  let received = 0;

  function onData(piece: Buffer): void {
    received += piece.length;
    if (received <= maxBytes) {
      body.add(piece);
      return;
    }
    stop();
    dropRest(request);
    done(tooLarge(maxBytes, undefined));
  }
  function onEnd(): void {
    stop();
    done(null, body.take());
  }
  function onError(cause: Error): void {
    stop();
    done(new ServeError('cancelled', 'the caller went away before its body was complete', { cause }));
  }
  function stop(): void {
    request.off('data', onData).off('end', onEnd).off('error', onError);
  }
  request.on('data', onData).on('end', onEnd).on('error', onError);
}

/** A body of known length. Memory is touched as bytes come, so that a mere announcement costs none. */
class SizedBody {
  private whole: Buffer | undefined;
  private filled = 0;

  constructor(private readonly length: number) {}

  add(piece: Buffer): void {
    if (piece.length === this.length) {
      this.whole = piece;
      return;
    }
    this.whole ??= Buffer.allocUnsafeSlow(this.length);
    this.filled += piece.copy(this.whole, this.filled);
  }

  take(): Buffer {
    return this.whole ?? Buffer.alloc(0);
  }
}

/** A chunked body. */
class GrowingBody {
  private readonly pieces: Buffer[] = [];

  add(piece: Buffer): void {
    this.pieces.push(piece);
  }

  take(): Buffer {
    const [first] = this.pieces;
    return first !== undefined && this.pieces.length === 1 ? first : Buffer.concat(this.pieces);
  }
}

function tooLarge(maxBytes: number, length: number | undefined): ServeError {
  const size = length === undefined ? 'more' : `${length} bytes`;
  return new ServeError('payload_too_large', `the body has ${size}; at most ${maxBytes} bytes are read`, {
    details: { maxBytes },
  });
}

/**
 * A client that still writes when its connection is closed gets a reset instead of the answer (nginx: lingering
 * close). So the rest is read and dropped, for a bounded time.
 */
function dropRest(request: IncomingMessage): void {
  const { socket } = request;
  const timer = setTimeout(() => socket.destroy(), LINGER_MS).unref();
  request.once('close', () => clearTimeout(timer)).on('error', () => undefined);
  request.resume();
}
