import type { ServeError } from '@bentots/errors';
import { Tensor } from '@bentots/service';
import { expect, test } from 'vitest';
import { memoryInUse } from '../test/memory.js';
import { gate, listen } from '../test/pair.js';
import { ByteWriter } from './frames/byte-writer.js';
import { writeCall } from './payloads/call-payload.js';
import { writeValue } from './payloads/encode-values.js';
import { writeTiming } from './payloads/timing.js';
import { FRAME, PREFACE } from './frames/frame.js';
import { ClientConnection, ServerConnection } from './index.js';

/** How long each fuzzer runs; what it does depends on the seed alone, how far it gets on the machine. */
const FUZZ_MS = 1500;
const SEED = 0x5eed;

/** Mulberry32: small, seeded, good enough to break parsers. */
function createRandom(seed: number): (below: number) => number {
  const state = { a: seed };
  return (below) => {
    state.a = (state.a + 0x6d2b79f5) | 0;
    const x = Math.imul(state.a ^ (state.a >>> 15), 1 | state.a);
    const y = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return Math.floor((((y ^ (y >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}

type Random = ReturnType<typeof createRandom>;

function validFrames(random: Random): Buffer {
  const writer = new ByteWriter();
  const values = [
    1,
    'text',
    { a: [1, null] },
    Tensor.from([[1, 2]]),
    Tensor.from(['a', 'b']),
    new Uint8Array(9),
    [undefined],
    { ids: Tensor.from([[1, 2]]), __mask: new Uint8Array(3), deep: { a: [Tensor.from([true])], b: 'x' } },
  ];
  for (let i = 1; i <= 1 + random(6); i += 1) {
    const value = values[random(values.length)];
    const type =
      [
        FRAME.call,
        FRAME.call,
        FRAME.cancel,
        FRAME.ping,
        FRAME.credit,
        FRAME.result,
        FRAME.error,
        FRAME.timing,
      ][random(8)] ?? 0;
    writer.beginFrame(type, type === FRAME.call ? random(32) : 0, type === FRAME.ping ? 0 : i, random(100));
    if (type === FRAME.call)
      writeCall(writer, { method: 'echo', traceparent: 'x', window: random(9000), args: [value, value] });
    if (type === FRAME.result || type === FRAME.error) writeValue(writer, value);
    if (type === FRAME.timing) writeTiming(writer, { queueMs: 1, batchMs: 0, inferMs: i, batchRows: i });
    writer.endFrame();
  }
  return Buffer.concat(writer.take());
}

/** Valid frames with some bytes flipped, cut, doubled, or numbers made extreme; or noise. */
function mutate(bytes: Buffer, random: Random): Buffer {
  const extremes = [0, 1, 255, 128, 127];
  for (let i = random(4); i > 0 && bytes.length > 0; i -= 1) {
    const at = random(bytes.length);
    if (random(2) === 0) bytes[at] = random(256);
    else bytes.fill(extremes[random(extremes.length)] ?? 0, at, Math.min(bytes.length, at + 1 + random(4)));
  }
  if (random(4) === 0) return bytes.subarray(0, random(bytes.length + 1));
  if (random(6) === 0) return Buffer.concat([bytes, bytes]);
  if (random(12) === 0) return Buffer.from(Array.from({ length: random(400) }, () => random(256)));
  return bytes;
}

/** Runs `attack` again and again; every end must be clean and memory must stay where it was. */
async function fuzz(attack: (random: Random) => Promise<ServeError | undefined>): Promise<number> {
  const random = createRandom(SEED);
  const until = performance.now() + FUZZ_MS;
  const before = memoryInUse();
  const ends = { count: 0 };
  while (performance.now() < until) {
    const error = await attack(random);
    expect(['protocol_error', 'unavailable', undefined]).toContain(error?.code);
    ends.count += 1;
  }
  expect(memoryInUse().buffers - before.buffers).toBeLessThan(16 * 1024 * 1024);
  expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  return ends.count;
}

test('a server survives random and mutated bytes: every connection ends cleanly or goes on', async () => {
  const served = { end: gate<ServeError | undefined>() };
  const { connect } = await listen('unix', (socket) => {
    const server = new ServerConnection(socket, {
      hello: { runner: 'a', worker: 1, workers: 1, protocol: 1, methods: [] },
      onCall: (call) => call.respond([...call.args]),
    });
    void server.closed.then(served.end.open);
  });
  const rounds = await fuzz(async (random) => {
    served.end = gate();
    const socket = connect();
    const bytes = mutate(validFrames(random), random);
    const cut = random(bytes.length + 1);
    socket.resume();
    if (random(10) > 0) socket.write(PREFACE);
    socket.write(bytes.subarray(0, cut));
    socket.end(bytes.subarray(cut));
    return served.end.opened;
  });
  expect(rounds).toBeGreaterThan(20);
});

test('a client survives random and mutated bytes: every call ends', async () => {
  const shared: { bytes: Uint8Array } = { bytes: Buffer.alloc(0) };
  const { connect } = await listen('unix', (socket) => {
    socket.once('data', () => socket.end(shared.bytes));
  });
  const rounds = await fuzz(async (random) => {
    shared.bytes = mutate(validFrames(random), random);
    const client = new ClientConnection(connect(), { runner: 'a', address: 'h' });
    const calls = [
      client.call('a', []),
      client.call('b', [], { onTiming: () => undefined }),
      client.stream('c', []).next(),
    ];
    await Promise.allSettled(calls);
    return client.closed;
  });
  expect(rounds).toBeGreaterThan(20);
});
