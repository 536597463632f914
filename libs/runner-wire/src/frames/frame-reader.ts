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

/** Large frames get their room in steps of this factor as bytes arrive, so that a length that lies reserves little. */
const GROWTH = 16;
const FIRST_RESERVE_BYTES = 1024 * 1024;

/**
 * Cuts a byte stream into frames, however it is chunked. Frames that lie whole in a chunk are given as views of it;
 * others are collected in one buffer of their length, allocated once up to 1 MiB and never more than 16 times of what
 * has arrived beyond that.
 */
export class FrameReader {
  readonly #limits: WireLimits;
  readonly #onFrame: OnFrame;
  readonly #header = Buffer.alloc(HEADER_BYTES);
  #headerFilled = 0;
  #body: Buffer | undefined;
  #bodyFilled = 0;
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
    return this.#headerFilled + (this.#body?.length ?? 0);
  }

  /** Takes the next bytes. @throws ServeError `protocol_error`; nothing more may be pushed then. */
  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#body !== undefined) {
        at = this.#fillBody(this.#body, chunk, at);
        if (this.#bodyFilled < this.#need) return;
        const body = this.#body;
        this.#body = undefined;
        if (!this.#deliver(body, 0)) return;
        continue;
      }
      const header = this.#takeHeader(chunk, at);
      if (header < 0) return;
      at = header;
      if (chunk.length - at >= this.#need) {
        const start = at;
        at += this.#need;
        if (!this.#deliver(chunk, start)) return;
      } else {
        this.#body = Buffer.allocUnsafeSlow(Math.min(this.#need, FIRST_RESERVE_BYTES));
        this.#bodyFilled = 0;
      }
    }
  }

  #deliver(bytes: Buffer, start: number): boolean {
    return this.#onFrame(
      this.#type,
      this.#flags,
      this.#callId,
      this.#argument,
      bytes,
      start,
      start + this.#length,
    );
  }

  /** Reads a header at `at`; where its payload begins, or -1 when the chunk ends before. */
  #takeHeader(chunk: Buffer, at: number): number {
    const missing = HEADER_BYTES - this.#headerFilled;
    if (this.#headerFilled === 0 && chunk.length - at >= HEADER_BYTES) {
      this.#readHeader(chunk, at);
      return at + HEADER_BYTES;
    }
    const taken = Math.min(missing, chunk.length - at);
    chunk.copy(this.#header, this.#headerFilled, at, at + taken);
    this.#headerFilled += taken;
    if (this.#headerFilled < HEADER_BYTES) return -1;
    this.#headerFilled = 0;
    this.#readHeader(this.#header, 0);
    return at + taken;
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

  #fillBody(body: Buffer, chunk: Buffer, at: number): number {
    const taken = Math.min(this.#need - this.#bodyFilled, chunk.length - at);
    const filled = this.#bodyFilled + taken;
    const room = filled <= body.length ? body : this.#grow(body, filled);
    chunk.copy(room, this.#bodyFilled, at, at + taken);
    this.#bodyFilled = filled;
    return at + taken;
  }

  #grow(body: Buffer, filled: number): Buffer {
    const grown = Buffer.allocUnsafeSlow(Math.min(this.#need, Math.max(body.length * GROWTH, filled)));
    body.copy(grown, 0, 0, this.#bodyFilled);
    this.#body = grown;
    return grown;
  }
}
