import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteWriter } from './byte-writer.js';
import { FRAME, HEADER_BYTES } from './frame.js';
import { FrameReader } from './frame-reader.js';
import { compileLimits } from './limits.js';

interface Seen {
  readonly type: number;
  readonly flags: number;
  readonly callId: number;
  readonly argument: number;
  readonly payload: string;
}

function createReader(seen: Seen[], limits = {}): FrameReader {
  return new FrameReader(compileLimits(limits), (type, flags, callId, argument, bytes, start, end) => {
    // Wherever the bytes were cut, tensors can be viewed where they lie.
    expect((bytes.byteOffset + start) % 8).toBe(0);
    seen.push({ type, flags, callId, argument, payload: bytes.toString('latin1', start, end) });
    return true;
  });
}

const frame: fc.Arbitrary<Seen> = fc.oneof(
  fc
    .record({
      type: fc.constantFrom(FRAME.call, FRAME.result, FRAME.chunk, FRAME.error),
      flags: fc.constantFrom(0, 1),
      callId: fc.integer({ min: 1, max: 0xffff_ffff }),
      argument: fc.nat(),
      payload: fc
        .oneof(
          fc.uint8Array({ maxLength: 100 }),
          fc.integer({ min: 0, max: 20_000 }).map((length) => new Uint8Array(length).fill(length % 251)),
        )
        .map((bytes) => Buffer.from(bytes).toString('latin1')),
    })
    .map((value) =>
      value.type === FRAME.result || value.type === FRAME.chunk ? { ...value, flags: 0 } : value,
    ),
  fc.record({
    type: fc.constantFrom(FRAME.ping, FRAME.pong),
    flags: fc.constant(0),
    callId: fc.constant(0),
    argument: fc.nat(),
    payload: fc.constant(''),
  }),
);

function encode(frames: readonly Seen[]): Buffer {
  const writer = new ByteWriter();
  for (const { type, flags, callId, argument, payload } of frames) {
    writer.beginFrame(type, flags, callId, argument);
    writer.raw(Buffer.from(payload, 'latin1'));
    writer.endFrame();
  }
  return Buffer.concat(writer.take());
}

function split(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  // Each piece in memory of its own, as a socket gives them.
  return at.slice(1).map((end, i) => Buffer.from(bytes.subarray(at[i], end)));
}

test('however the bytes are chunked, the same frames come out', () => {
  const check = fc.property(
    fc.array(frame, { maxLength: 8 }),
    fc.oneof(fc.array(fc.nat(), { maxLength: 12 }), fc.constant('bytewise' as const)),
    (frames, cuts) => {
      const bytes = encode(frames);
      fc.pre(cuts !== 'bytewise' || bytes.length < 2000);
      const seen: Seen[] = [];
      const reader = createReader(seen);
      const pieces = cuts === 'bytewise' ? split(bytes, [...bytes.keys()]) : split(bytes, cuts);
      for (const piece of pieces) reader.push(piece);
      expect(seen).toEqual(frames);
      expect(reader.heldBytes).toBe(0);
    },
  );
  fc.assert(check, { seed: 5, numRuns: 300 });
});

describe('memory', () => {
  const header = (length: number): Buffer => {
    const bytes = Buffer.alloc(HEADER_BYTES);
    bytes.writeUInt32LE(length, 0);
    bytes.writeUInt8(FRAME.call, 4);
    bytes.writeUInt32LE(1, 8);
    return bytes;
  };

  test('a frame that announces 256 MiB reserves 1 MiB until bytes come', () => {
    const reader = createReader([]);
    reader.push(header(256 * 1024 * 1024));
    reader.push(Buffer.alloc(1000));
    expect(reader.heldBytes).toBe(1024 * 1024);
  });

  test('reserves at most 16 times of what came', () => {
    const reader = createReader([]);
    reader.push(header(256 * 1024 * 1024));
    const chunk = Buffer.alloc(64 * 1024);
    for (let sent = chunk.length; sent <= 40 * 1024 * 1024; sent += chunk.length) {
      reader.push(chunk);
      expect(reader.heldBytes).toBeLessThanOrEqual(Math.max(1024 * 1024, 16 * sent));
    }
  });

  test('a body of the usual size is collected in one buffer of its length', () => {
    const reader = createReader([]);
    reader.push(header(602_112));
    reader.push(Buffer.alloc(65_536));
    expect(reader.heldBytes).toBe(602_112);
  });

  test('the next bytes of such a body are put where they stay', () => {
    const reader = createReader([]);
    reader.push(header(602_112));
    reader.push(Buffer.alloc(65_536));
    const [body, next] = [reader.room(), 10_000];
    reader.take(next);
    expect(reader.room().buffer).toBe(body.buffer);
    expect(reader.room().byteOffset).toBe(body.byteOffset + next);
    expect(reader.room().length).toBe(602_112 - 65_536 - next);
  });

  test('there is always room, also after the end', () => {
    const reader = createReader([], { maxFrameBytes: 1000 });
    for (let at = 0; at < 200_000; at += 1000) {
      expect(reader.room().length).toBeGreaterThan(0);
      reader.push(Buffer.concat([header(984), Buffer.alloc(984)]));
    }
    expect(() => reader.push(header(1001))).toThrow('has 1001 bytes, at most 1000');
    expect([reader.room().length > 0, reader.take(3)]).toEqual([true, undefined]);
    reader.stop();
    expect([reader.room().length > 0, reader.heldBytes]).toEqual([true, 0]);
  });

  test('a large body comes out whole', () => {
    const body = Buffer.alloc(20 * 1024 * 1024, 'abcdefg');
    const parts: Buffer[] = [];
    const reader = new FrameReader(compileLimits(), (_type, _flags, _id, _argument, bytes, start, end) => {
      parts.push(bytes.subarray(start, end));
      return true;
    });
    const stream = Buffer.concat([header(body.length), body]);
    for (let at = 0; at < stream.length; at += 65_536) reader.push(stream.subarray(at, at + 65_536));
    expect(parts.length === 1 && body.equals(parts[0] ?? Buffer.of())).toBe(true);
  });
});

test('a reader whose frames are refused stops', () => {
  const bytes = encode(
    Array.from({ length: 3 }, () => ({ type: FRAME.ping, flags: 0, callId: 0, argument: 0, payload: '' })),
  );
  const seen: number[] = [];
  new FrameReader(compileLimits(), (type) => seen.push(type) < 2).push(bytes);
  expect(seen.length).toBe(2);
});
