import { FRAME_RULES, type FrameRule, HEADER_BYTES, paddingOf, TIMING_BYTES } from './frame.js';
import type { WireLimits } from './limits.js';
import { protocolError } from './wire-error.js';

/**
 * Called for each frame; the payload lies in `bytes` from `start` to `end` and stays valid after the call. The reader
 * stops when it returns false.
 */
export type OnFrame = (
  type: number,
  flags: number,
  callId: number,
  argument: number,
  bytes: Buffer,
  start: number,
  end: number,
) => boolean;

/** Small frames come to lie side by side in slabs of this size; each is used once, as views of it may be kept. */
const SLAB_BYTES = 64 * 1024;

/** A slab with less room than this is not read into any more. */
const MIN_READ_BYTES = 8 * 1024;

/** Frames over this size get memory of their own, of their length, when a slab ends within them. */
const MAX_MOVED_BYTES = SLAB_BYTES / 2;

/** Large frames get their room in steps of this factor as bytes arrive, so that a length that lies reserves little. */
const GROWTH = 16;
const FIRST_RESERVE_BYTES = 1024 * 1024;

/**
 * Cuts a byte stream into frames, however it is chunked. It says where the next bytes are to be put, so that those of
 * large frames come to lie where they stay: in one buffer of their length, allocated once up to 1 MiB and never more
 * than 16 times of what has arrived beyond that. Frames begin at multiples of 8 in memory, too.
 */
export class FrameReader {
  readonly #limits: WireLimits;
  readonly #onFrame: OnFrame;
  #slab = Buffer.alloc(0);
  /** Where the frame that is read next begins in the slab, and where what has arrived ends. */
  #start = 0;
  #filled = 0;
  /** Payload of a frame that has memory of its own. */
  #body: Buffer | undefined;
  #bodyFilled = 0;
  #stopped = false;
  /** For what comes after the end: no frame may lie where it is put. */
  readonly #sink = Buffer.alloc(64);
  /** Payload and padding of the frame whose header was read last. */
  #need = 0;
  #type = 0;
  #flags = 0;
  #callId = 0;
  #argument = 0;
  #length = 0;

  constructor(limits: WireLimits, onFrame: OnFrame) {
    this.#limits = limits;
    this.#onFrame = onFrame;
  }

  /** Bytes kept for a frame that is not complete yet. */
  get heldBytes(): number {
    return this.#filled - this.#start + (this.#body?.length ?? 0);
  }

  /** Takes the next bytes, by copying them. @throws ServeError `protocol_error`; nothing more may be pushed then. */
  push(chunk: Buffer): void {
    for (let at = 0; at < chunk.length && !this.#stopped;) {
      const taken = chunk.copy(this.room(), 0, at);
      at += taken;
      this.take(taken);
    }
  }

  /** Where the next bytes are to be put; never empty. It holds until the next {@link take}. */
  room(): Buffer {
    if (this.#stopped) return this.#sink;
    if (this.#body !== undefined) return this.#body.subarray(this.#bodyFilled);
    const isBegun = this.#filled - this.#start >= HEADER_BYTES;
    // A frame that was begun fits to the end of its slab.
    if (!isBegun && this.#slab.length - this.#filled < MIN_READ_BYTES) this.#nextSlab();
    return this.#slab.subarray(this.#filled);
  }

  /** So many bytes were put at the beginning of {@link room}. @throws ServeError `protocol_error` */
  take(bytes: number): void {
    if (this.#stopped) return;
    try {
      this.#advance(bytes);
    } catch (error) {
      this.#stopped = true;
      throw error;
    }
  }

  #advance(bytes: number): void {
    const body = this.#body;
    if (body === undefined) {
      this.#filled += bytes;
      this.#cut();
      return;
    }
    this.#bodyFilled += bytes;
    if (this.#bodyFilled < this.#need) {
      if (this.#bodyFilled === body.length) this.#grow(body);
      return;
    }
    this.#body = undefined;
    this.#deliver(body, 0);
  }

  /** Takes nothing more, and lets go of what it holds. */
  stop(): void {
    this.#stopped = true;
    this.#slab = this.#sink;
    this.#start = 0;
    this.#filled = 0;
    this.#body = undefined;
  }

  /** Gives away the frames that are complete in the slab, and makes room for the one that is not. */
  #cut(): void {
    while (this.#filled - this.#start >= HEADER_BYTES && !this.#stopped) {
      this.#readHeader(this.#slab, this.#start);
      const payloadAt = this.#start + HEADER_BYTES;
      const end = payloadAt + this.#need;
      if (end > this.#filled) {
        if (end > this.#slab.length) this.#move(payloadAt);
        return;
      }
      this.#start = end;
      this.#deliver(this.#slab, payloadAt);
    }
  }

  #deliver(bytes: Buffer, at: number): void {
    const end = at + this.#length;
    const goOn = this.#onFrame(this.#type, this.#flags, this.#callId, this.#argument, bytes, at, end);
    if (!goOn) this.#stopped = true;
  }

  /** The slab ends within a frame. */
  #move(payloadAt: number): void {
    if (HEADER_BYTES + this.#need <= MAX_MOVED_BYTES) {
      this.#nextSlab();
      return;
    }
    this.#body = Buffer.allocUnsafeSlow(Math.min(this.#need, FIRST_RESERVE_BYTES));
    this.#bodyFilled = this.#slab.copy(this.#body, 0, payloadAt, this.#filled);
    this.#start = this.#filled;
  }

  #nextSlab(): void {
    const slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
    this.#filled = this.#slab.copy(slab, 0, this.#start, this.#filled);
    this.#start = 0;
    this.#slab = slab;
  }

  #grow(body: Buffer): void {
    const grown = Buffer.allocUnsafeSlow(Math.min(this.#need, body.length * GROWTH));
    body.copy(grown);
    this.#body = grown;
  }

  #readHeader(bytes: Buffer, at: number): void {
    const length = bytes.readUInt32LE(at);
    this.#type = bytes.readUInt8(at + 4);
    this.#flags = bytes.readUInt8(at + 5);
    this.#callId = bytes.readUInt32LE(at + 8);
    this.#argument = bytes.readUInt32LE(at + 12);
    this.#length = length;
    this.#need = length + paddingOf(length);
    this.#check(bytes.readUInt16LE(at + 6));
  }

  #check(reserved: number): void {
    const rule = FRAME_RULES[this.#type];
    if (rule === undefined) throw protocolError(`frame type ${this.#type} is unknown`);
    const { name, payload } = rule;
    const most = this.#most(payload);
    if (this.#length > most) {
      throw protocolError(`a frame of type ${name} has ${this.#length} bytes, at most ${most} are allowed`);
    }
    if ((this.#flags & ~rule.flags) !== 0) {
      throw protocolError(`a frame of type ${name} has unknown flags ${this.#flags}`);
    }
    if (reserved !== 0) throw protocolError(`a frame of type ${name} has ${reserved} where zero is reserved`);
    if (rule.ofCall !== this.#callId > 0) {
      throw protocolError(`a frame of type ${name} has the call id ${this.#callId}`);
    }
  }

  #most(payload: FrameRule['payload']): number {
    const { maxFrameBytes, maxMetaBytes } = this.#limits;
    if (payload === 'body') return maxFrameBytes;
    if (payload === 'meta') return maxMetaBytes;
    return payload === 'timing' ? TIMING_BYTES : 0;
  }
}
