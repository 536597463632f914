import { HEADER_BYTES, paddingOf } from './frame.js';

/** Small things are copied side by side into chunks of this size. */
const CHUNK_BYTES = 32 * 1024;

/** Raw bytes from this size on are sent from where they lie; below, a copy costs less than a part of its own. */
const REFERENCE_BYTES = 8 * 1024;

/**
 * Collects bytes for one gathered write: small pieces are copied together, large ones kept as they are.
 * Positions count from the last {@link take}; frames begin at multiples of 8.
 */
export class ByteWriter {
  #chunk: Buffer = Buffer.alloc(0);
  #start = 0;
  #at = 0;
  #parts: Uint8Array[] = [];
  #partsBytes = 0;
  #frame = { chunk: this.#chunk, at: 0, start: 0, parts: 0, partsBytes: 0 };

  /** Bytes collected since the last {@link take}. */
  get length(): number {
    return this.#partsBytes + this.#at - this.#start;
  }

  /** Bytes of the frame that is being written. */
  get frameBytes(): number {
    const { at, start, partsBytes } = this.#frame;
    return this.length - (partsBytes + at - start);
  }

  /** Begins a frame; its payload is what is written until {@link endFrame}. */
  beginFrame(type: number, flags: number, callId: number, argument: number): void {
    this.#ensure(HEADER_BYTES);
    const chunk = this.#chunk;
    const at = this.#at;
    const frame = this.#frame;
    frame.chunk = chunk;
    frame.at = at;
    frame.start = this.#start;
    frame.parts = this.#parts.length;
    frame.partsBytes = this.#partsBytes;
    chunk[at + 4] = type;
    chunk[at + 5] = flags;
    chunk[at + 6] = 0;
    chunk[at + 7] = 0;
    chunk.writeUInt32LE(callId, at + 8);
    chunk.writeUInt32LE(argument, at + 12);
    this.#at = at + HEADER_BYTES;
  }

  /** Writes the length into the header and pads; the payload's bytes, padding not counted. */
  endFrame(): number {
    const payloadBytes = this.frameBytes - HEADER_BYTES;
    this.#frame.chunk.writeUInt32LE(payloadBytes, this.#frame.at);
    this.pad();
    return payloadBytes;
  }

  /** Forgets the frame that was begun. */
  dropFrame(): void {
    const { chunk, at, start, parts, partsBytes } = this.#frame;
    this.#chunk = chunk;
    this.#at = at;
    this.#start = start;
    this.#parts.length = parts;
    this.#partsBytes = partsBytes;
  }

  /** Eight bytes that begin a value: kind, a byte, two bytes, four bytes. */
  head(kind: number, a: number, b: number, n: number): void {
    this.#ensure(8);
    const chunk = this.#chunk;
    const at = this.#at;
    chunk[at] = kind;
    chunk[at + 1] = a;
    chunk[at + 2] = b & 255;
    chunk[at + 3] = b >>> 8;
    chunk.writeUInt32LE(n, at + 4);
    this.#at = at + 8;
  }

  u32(value: number): void {
    this.#ensure(4);
    this.#chunk.writeUInt32LE(value, this.#at);
    this.#at += 4;
  }

  f32(value: number): void {
    this.#ensure(4);
    this.#chunk.writeFloatLE(value, this.#at);
    this.#at += 4;
  }

  f64(value: number): void {
    this.#ensure(8);
    this.#chunk.writeDoubleLE(value, this.#at);
    this.#at += 8;
  }

  /** UTF-8 after an eight-byte head whose last four bytes are its length, then padding. */
  text(kind: number, text: string): void {
    // A UTF-16 unit is at most three bytes of UTF-8.
    const most = text.length * 3;
    if (most > REFERENCE_BYTES) {
      const bytes = Buffer.from(text);
      this.head(kind, 0, 0, bytes.length);
      this.raw(bytes);
    } else {
      this.#ensure(8 + most);
      const at = this.#at;
      const length = writeText(this.#chunk, text, at + 8);
      this.head(kind, 0, 0, length);
      this.#at = at + 8 + length;
    }
    this.pad();
  }

  /** UTF-8 without head or padding; the number of bytes. For short names. */
  utf8(text: string): number {
    this.#ensure(text.length * 3);
    const length = writeText(this.#chunk, text, this.#at);
    this.#at += length;
    return length;
  }

  /** Bytes as they are: copied when few, else kept by reference until they are sent. */
  raw(bytes: Uint8Array): void {
    if (bytes.length < REFERENCE_BYTES) {
      this.#ensure(bytes.length);
      this.#chunk.set(bytes, this.#at);
      this.#at += bytes.length;
      return;
    }
    this.#seal();
    this.#parts.push(bytes);
    this.#partsBytes += bytes.length;
  }

  /** Zeros up to the next multiple of 8. */
  pad(): void {
    const padding = paddingOf(this.length);
    if (padding === 0) return;
    this.#ensure(padding);
    this.#chunk.fill(0, this.#at, this.#at + padding);
    this.#at += padding;
  }

  /** All that was collected, in order; the writer is empty after. */
  take(): Uint8Array[] {
    this.#seal();
    const parts = this.#parts;
    this.#parts = [];
    this.#partsBytes = 0;
    return parts;
  }

  #ensure(bytes: number): void {
    if (this.#chunk.length - this.#at >= bytes) return;
    this.#seal();
    // Never pooled: parts of it may wait in a socket while others are written.
    this.#chunk = Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, bytes));
    this.#start = 0;
    this.#at = 0;
  }

  #seal(): void {
    if (this.#at === this.#start) return;
    this.#parts.push(this.#chunk.subarray(this.#start, this.#at));
    this.#partsBytes += this.#at - this.#start;
    this.#start = this.#at;
  }
}

/** Short ASCII, which names are, is quicker by hand than through the native encoder. */
function writeText(target: Buffer, text: string, at: number): number {
  const { length } = text;
  if (length > 64) return target.write(text, at);
  for (let i = 0; i < length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit > 127) return target.write(text, at);
    target[at + i] = unit;
  }
  return length;
}
