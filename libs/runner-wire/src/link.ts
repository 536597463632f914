import { setMaxListeners } from 'node:events';
import type { Socket } from 'node:net';
import { ServeError } from '@bentots/errors';
import { readDirectly, unsentBytes } from './socket-handle.js';
import { Heartbeat } from './heartbeat.js';
import { ByteWriter } from './frames/byte-writer.js';
import { toWireError, writeError } from './payloads/error-payload.js';
import { FLAG, FRAME, FRAME_RULES, PREFACE } from './frames/frame.js';
import { Beginning } from './frames/beginning.js';
import { FrameReader } from './frames/frame-reader.js';
import type { WireLimits } from './frames/limits.js';

/** What happened on a connection so far; only ever grows. */
export interface ConnectionCounters {
  framesIn: number;
  framesOut: number;
  bytesIn: number;
  bytesOut: number;
  /** Writes that the frames were gathered into. */
  writes: number;
  /** Calls begun. */
  calls: number;
  /** Calls that ended with an error, cancelled ones among them. */
  failed: number;
  /** Calls that the caller gave up. */
  cancelled: number;
  /** Heartbeats that were not answered in time. */
  missedBeats: number;
}

/** How a {@link Link} is set up. */
export interface LinkOptions {
  readonly role: 'client' | 'server';
  readonly limits: WireLimits;
  /** Who is at the other end: `runner 'a' at tcp://h:1`. */
  readonly label: string;
  /** Silence after which the peer is asked whether it lives, and then how long each answer may take; 0: never. */
  readonly heartbeatMs: number;
  /** Unanswered questions after which the peer counts as dead. */
  readonly maxMissedBeats: number;
  /** Whether calls would be served now; what a pong says. */
  isReady(): boolean;
  /** A frame of a call, a hello or a goaway. What it throws ends the link. */
  onFrame(
    type: number,
    flags: number,
    callId: number,
    argument: number,
    bytes: Buffer,
    start: number,
    end: number,
  ): void;
  /** Called once, when nothing more can be sent or received. `error` is why, unless this side closed it. */
  onClosed(error: ServeError | undefined): void;
}

/** How long a link that was closed may take to send its last words. */
const LAST_WORDS_MS = 1000;

/** Over TCP the kernel, too, notices a host that is gone. */
const TCP_KEEP_ALIVE_MS = 10_000;

const NOTHING = Buffer.alloc(0);

/** One socket that carries frames both ways: framing, gathered writes, heartbeats, and its end. */
export class Link {
  readonly writer = new ByteWriter();
  readonly counters: ConnectionCounters = {
    framesIn: 0,
    framesOut: 0,
    bytesIn: 0,
    bytesOut: 0,
    writes: 0,
    calls: 0,
    failed: 0,
    cancelled: 0,
    missedBeats: 0,
  };
  readonly #socket: Socket;
  readonly #options: LinkOptions;
  readonly #reader: FrameReader;
  readonly #beginning: Beginning;
  readonly #pings = new Map<number, (ready: boolean) => void>();
  readonly #heartbeat: Heartbeat;
  #nextPing = 1;
  #room: Buffer = NOTHING;
  #flushScheduled = false;
  #state: 'open' | 'closing' | 'closed' = 'open';
  /** Whether either side has said goodbye: that the socket closes then is no failure. */
  #isEndExpected = false;

  constructor(socket: Socket, options: LinkOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#beginning = new Beginning(options.role, options.label);
    this.#reader = new FrameReader(options.limits, this.#onFrame);
    socket.setNoDelay(true);
    socket.setKeepAlive(true, TCP_KEEP_ALIVE_MS);
    // After a goodbye, what is still sent may find the peer gone.
    socket.on('error', (error) => this.#closed(this.#isEndExpected ? undefined : this.lost(error)));
    socket.on('close', () => this.#closed(this.#isEndExpected ? undefined : this.lost()));
    // Half a connection is none, whatever the server that accepted it allows.
    socket.on('end', () => socket.end());
    // Not at once: frames may have come already, and who makes a link is not ready for them.
    process.nextTick(() => this.#read(socket));
    this.#heartbeat = new Heartbeat({
      heartbeatMs: options.heartbeatMs,
      maxMissedBeats: options.maxMissedBeats,
      received: () => this.counters.bytesIn,
      unsent: () => unsentBytes(socket),
      ask: () => this.send(FRAME.ping, 0, 0, 0),
      onMissed: () => void (this.counters.missedBeats += 1),
      onDead: (missed, silentMs) =>
        this.destroy(this.lost(new Error(`no answer to ${missed} heartbeats in ${silentMs} ms`))),
    });
    if (options.role === 'client') {
      this.writer.raw(PREFACE);
      this.#schedule();
    }
  }

  /** Whether frames can still be sent. */
  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /** Bytes that wait to be taken by the kernel. */
  get pendingBytes(): number {
    return this.writer.length + this.#socket.writableLength;
  }

  /**
   * Sends one frame with what `write` puts into it; it leaves with all others of this turn of the event loop. The
   * payload's bytes. Nothing is sent on a link that is not open.
   *
   * @throws ServeError what `write` throws, or `invalid_argument` when the payload is over the limit; nothing is sent.
   */
  send(
    type: number,
    flags: number,
    callId: number,
    argument: number,
    write?: (writer: ByteWriter) => void,
  ): number {
    if (this.#state !== 'open') return 0;
    const { writer } = this;
    writer.beginFrame(type, flags, callId, argument);
    try {
      write?.(writer);
      return this.#commit(type, writer.endFrame());
    } catch (error) {
      writer.dropFrame();
      throw error;
    }
  }

  /** Asks whether calls would be served now; false when the link ends first. */
  ping(signal: AbortSignal): Promise<boolean> {
    if (!this.isOpen || signal.aborted) return Promise.resolve(false);
    const id = this.#nextPing;
    this.#nextPing = (id % 0xffff_ffff) + 1;
    return new Promise((resolve) => {
      const done = (ready: boolean): void => {
        this.#pings.delete(id);
        signal.removeEventListener('abort', giveUp);
        resolve(ready);
      };
      const giveUp = (): void => done(false);
      setMaxListeners(0, signal);
      signal.addEventListener('abort', giveUp, { once: true });
      this.#pings.set(id, done);
      this.send(FRAME.ping, 0, 0, id);
    });
  }

  /** Tells the peer that no new calls are taken, and which was the last one that is. */
  goAway(reason: ServeError, lastCallId: number): void {
    this.send(FRAME.goaway, 0, 0, lastCallId, (writer) => writeError(writer, toWireError(reason)));
    this.expectEnd();
  }

  /** The peer has said that it will close the connection. */
  expectEnd(): void {
    this.#isEndExpected = true;
  }

  /** Sends what is left, then ends the socket. */
  end(): void {
    if (this.#state !== 'open') return;
    this.#flush();
    this.#state = 'closing';
    this.#isEndExpected = true;
    this.#socket.destroySoon();
    const last = setTimeout(() => this.#socket.destroy(), LAST_WORDS_MS).unref();
    this.#socket.once('close', () => clearTimeout(last));
  }

  /** Ends the link because of `error`; a peer that broke the protocol is told how. */
  fail(error: ServeError): void {
    if (this.#state === 'closed') return;
    if (this.#state === 'open' && error.code === 'protocol_error') {
      this.goAway(error, 0);
    }
    this.end();
    this.#closed(error);
  }

  /** Ends the link at once; what was not sent yet is lost. */
  destroy(error?: ServeError): void {
    this.#closed(error);
    this.#socket.destroy();
  }

  /** The error that stands for a connection that ended by itself. */
  lost(cause?: unknown): ServeError {
    const reason = cause instanceof Error ? `: ${cause.message}` : '';
    return new ServeError('unavailable', `connection to ${this.#options.label} was lost${reason}`, { cause });
  }

  #read(socket: Socket): void {
    // What was looked at to tell the protocol.
    const chunk: Buffer | null = socket.read();
    if (chunk !== null) this.#onChunk(chunk);
    const isDirect = readDirectly(socket, {
      room: () => (this.#room = this.#reader.room()),
      onRead: (bytes) => this.#onRead(bytes),
    });
    if (!isDirect) socket.on('data', this.#onChunk);
  }

  /** Bytes lie in the room that the reader gave. */
  #onRead(bytes: number): void {
    if (this.#state !== 'open') return;
    const room = this.#room;
    this.counters.bytesIn += bytes;
    try {
      const skip = this.counters.framesIn === 0 ? this.#beginning.skip(room.subarray(0, bytes)) : 0;
      if (skip > 0) room.copyWithin(0, skip, bytes);
      this.#reader.take(bytes - skip);
    } catch (error) {
      this.fail(ServeError.from(error));
    }
  }

  readonly #onChunk = (chunk: Buffer): void => {
    if (this.#state !== 'open') return;
    this.counters.bytesIn += chunk.length;
    try {
      const skip = this.counters.framesIn === 0 ? this.#beginning.skip(chunk) : 0;
      this.#reader.push(chunk.subarray(skip));
    } catch (error) {
      this.fail(ServeError.from(error));
    }
  };

  readonly #onFrame = (
    type: number,
    flags: number,
    callId: number,
    argument: number,
    bytes: Buffer,
    start: number,
    end: number,
  ): boolean => {
    this.counters.framesIn += 1;
    if (type === FRAME.ping) {
      this.send(FRAME.pong, this.#options.isReady() ? FLAG.ready : 0, 0, argument);
    } else if (type === FRAME.pong) {
      this.#pings.get(argument)?.((flags & FLAG.ready) !== 0);
    } else {
      this.#options.onFrame(type, flags, callId, argument, bytes, start, end);
    }
    return this.#state === 'open';
  };

  #commit(type: number, payloadBytes: number): number {
    const { maxFrameBytes } = this.#options.limits;
    // Other frames are bounded by what is written into them, and must never fail: they tell of failures.
    if (payloadBytes > maxFrameBytes && FRAME_RULES[type]?.payload === 'body') {
      throw new ServeError(
        'payload_too_large',
        `a message of ${payloadBytes} bytes is over the limit of ${maxFrameBytes} for ${this.#options.label}`,
      );
    }
    this.counters.framesOut += 1;
    this.#schedule();
    return payloadBytes;
  }

  #schedule(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    setImmediate(this.#flush);
  }

  readonly #flush = (): void => {
    this.#flushScheduled = false;
    const bytes = this.writer.length;
    // What a dying socket would swallow stays here, known as not sent.
    if (bytes === 0 || this.#state !== 'open' || !this.#socket.writable) return;
    this.counters.bytesOut += bytes;
    this.counters.writes += 1;
    const parts = this.writer.take();
    const [first] = parts;
    if (parts.length === 1 && first !== undefined) {
      this.#socket.write(first);
      return;
    }
    this.#socket.cork();
    for (const part of parts) this.#socket.write(part);
    this.#socket.uncork();
  };

  /** `error` is why; without one this side meant to. */
  #closed(error: ServeError | undefined): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#heartbeat.stop();
    this.#reader.stop();
    this.#room = NOTHING;
    for (const answer of [...this.#pings.values()]) answer(false);
    this.#options.onClosed(error);
  }
}
