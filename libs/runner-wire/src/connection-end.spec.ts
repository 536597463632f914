import { type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { createPair, errorOf, gate, listen, until } from '../test/pair.js';
import { ClientConnection, type IncomingCall, PREFACE, progressOf, ServerConnection } from './index.js';

describe('going away', () => {
  test('the server finishes what runs, refuses what comes, and both ends close', async () => {
    const held = gate<IncomingCall>();
    const told = gate();
    const { client, server } = await createPair({
      onCall: (call) => held.open(call),
      client: { onGoAway: told.open },
    });
    const running = client.call('slow', []);
    const call = await held.opened;
    const closing = server.close();
    await told.opened;
    expect(client.isAccepting).toBe(false);
    const refused = await errorOf(client.call('echo', []));
    expect(refused).toMatchObject({ code: 'unavailable' });
    expect(progressOf(refused)).toBe('not_started');
    call.respond('finished');
    expect(await running).toBe('finished');
    await closing;
    expect(await client.closed).toBeUndefined();
  });

  test('a call that crosses the goaway on its way fails as not started', async () => {
    const { client, server } = await createPair();
    await client.hello;
    const [crossing] = await Promise.all([
      errorOf(client.call('echo', [])),
      // Queued in the same turn, so neither side knows of the other's frame.
      Promise.resolve(server.goAway('bye')),
    ]);
    expect(crossing).toMatchObject({ code: 'unavailable', message: expect.stringContaining('bye') });
    expect(progressOf(crossing)).toBe('not_started');
  });

  test('readiness is refused once the server goes away', async () => {
    const { client, server } = await createPair({ onCall: () => undefined });
    expect(await client.ping(AbortSignal.timeout(20_000))).toBe(true);
    const call = errorOf(client.call('slow', []));
    await until(() => server.inFlight === 1);
    server.goAway();
    expect(await client.ping(AbortSignal.timeout(20_000))).toBe(false);
    server.destroy();
    await call;
  });

  test('a bound on closing cuts calls off with an error', async () => {
    const held = gate<IncomingCall>();
    const { client, server } = await createPair({ onCall: (call) => held.open(call) });
    const running = errorOf(client.call('slow', []));
    const call = await held.opened;
    await server.close(AbortSignal.abort());
    expect(await running).toMatchObject({ code: 'unavailable', message: 'the runner server is stopping' });
    expect(call.signal.reason).toMatchObject({ code: 'unavailable' });
  });

  test('the client waits for its calls, or cancels them after a bound', async () => {
    const calls: IncomingCall[] = [];
    const { client } = await createPair({ onCall: (call) => void calls.push(call) });
    const first = client.call('slow', []);
    await until(() => calls.length === 1);
    const closing = client.close();
    calls[0]?.respond(1);
    expect(await first).toBe(1);
    await closing;

    const other = await createPair({ onCall: () => undefined });
    const cut = errorOf(other.client.call('slow', []));
    await other.client.close(AbortSignal.abort());
    expect(await cut).toMatchObject({ code: 'unavailable', message: expect.stringContaining('was closed') });
  });
});

describe('a connection that is lost', () => {
  test('fails what runs, says so, and aborts the runner side', async () => {
    const held = gate<IncomingCall>();
    const { client, clientSocket } = await createPair({ onCall: (call) => held.open(call) });
    const running = errorOf(client.call('slow', []));
    const call = await held.opened;
    clientSocket.destroy();
    const error = await running;
    expect(error).toMatchObject({
      code: 'unavailable',
      message: "connection to runner 'matmul' at here was lost while the call was running",
    });
    expect(progressOf(error)).toBe('unknown');
    await until(() => call.signal.aborted);
    expect(call.signal.reason).toMatchObject({ code: 'unavailable' });
  });

  test('before a call was written leaves it not started', async () => {
    const { client, clientSocket } = await createPair();
    const failed = errorOf(client.call('echo', []));
    clientSocket.destroy();
    const error = await failed;
    expect(progressOf(error)).toBe('not_started');
    expect(error).toMatchObject({ message: expect.stringContaining('before the call was sent') });
  });

  test('answers nothing more, and forgets', async () => {
    const held = gate<IncomingCall>();
    const { client, server } = await createPair({ onCall: (call) => held.open(call) });
    const running = errorOf(client.call('slow', []));
    const call = await held.opened;
    server.destroy();
    await running;
    call.respond(1);
    call.fail(new Error('late'));
    expect([server.inFlight, client.inFlight]).toEqual([0, 0]);
    expect(await errorOf(client.call('echo', []))).toMatchObject({ code: 'unavailable' });
    expect(await client.ping(AbortSignal.timeout(1000))).toBe(false);
  });
});

describe('heartbeats', () => {
  test('a peer that stays silent is found dead', async () => {
    const { connect } = await listen('unix', () => undefined);
    const client = new ClientConnection(connect(), { runner: 'a', address: 'here', heartbeatMs: 20 });
    const call = errorOf(client.call('echo', []));
    expect(await client.closed).toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('heartbeats'),
    });
    expect(await call).toMatchObject({ code: 'unavailable' });
    expect(client.counters.missedBeats).toBe(2);
  });

  test('an idle connection whose peer answers lives on', async () => {
    const { client, server } = await createPair({ client: { heartbeatMs: 10 }, server: { heartbeatMs: 10 } });
    const before = server.counters.framesIn;
    await until(() => server.counters.framesIn > before + 5 || server.counters.framesOut > 8);
    expect(await client.call('echo', [1])).toBe(1);
  });

  test('a peer that takes what is sent is alive, whatever it says; once it stops, it is found dead', async () => {
    const accepted = gate<Socket>();
    const { connect } = await listen('unix', accepted.open);
    const client = new ClientConnection(connect(), { runner: 'a', address: 'here', heartbeatMs: 40 });
    const call = errorOf(client.call('echo', [new Uint8Array(64 * 1024 * 1024)]));
    const socket = await accepted.opened;
    // Reads a little, far more often than there are beats, for many times of what silence may last.
    const reading = { since: performance.now() };
    while (performance.now() - reading.since < 600) {
      socket.read(64 * 1024);
      await new Promise((resolve) => setTimeout(resolve, 4));
    }
    expect(client.isAccepting).toBe(true);
    expect(await client.closed).toMatchObject({ message: expect.stringContaining('heartbeats') });
    await call;
  });

  test.each([0, Infinity])('are off when their time is %d', async (heartbeatMs) => {
    const { connect } = await listen('unix', (socket) => void socket.resume());
    const silent = new ClientConnection(connect(), { runner: 'a', address: 'here', heartbeatMs });
    const watched = new ClientConnection(connect(), { runner: 'a', address: 'here', heartbeatMs: 10 });
    const call = errorOf(silent.call('echo', []));
    await watched.closed;
    expect([silent.isAccepting, silent.counters.framesOut]).toEqual([true, 1]);
    silent.destroy();
    await call;
  });

  test('a process that is held up takes no peer for dead whose answer has arrived', async () => {
    const { client } = await createPair({ client: { heartbeatMs: 5 } });
    await client.hello;
    for (let turn = 0; turn < 20; turn += 1) {
      const heldUpTo = performance.now() + 10;
      while (performance.now() < heldUpTo);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await client.call('echo', [1])).toBe(1);
  });
});

describe('a peer that breaks the protocol', () => {
  /** What the server answers to raw bytes, until it closes. */
  async function answerTo(bytes: Uint8Array): Promise<{ text: string; error: unknown }> {
    const closed = gate<unknown>();
    const { connect } = await listen('tcp', (socket) => {
      const server = new ServerConnection(socket, {
        hello: { runner: 'a', worker: 1, workers: 1, protocol: 1, methods: [] },
        onCall: (call) => call.respond(null),
      });
      void server.closed.then(closed.open);
    });
    const socket = connect();
    socket.write(bytes);
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    return { text: Buffer.concat(chunks).toString('latin1'), error: await closed.opened };
  }

  const frame = (type: number, flags = 0, callId = 0, length = 0, reserved = 0): Buffer => {
    const header = Buffer.alloc(16);
    header.writeUInt32LE(length, 0);
    header.writeUInt8(type, 4);
    header.writeUInt8(flags, 5);
    header.writeUInt16LE(reserved, 6);
    header.writeUInt32LE(callId, 8);
    return header;
  };
  const after = (...frames: Buffer[]): Buffer => Buffer.concat([PREFACE, ...frames]);

  test.each([
    ['another protocol', Buffer.from('\x16\x03\x01\x02\x00'), 'its first bytes are not BTS1'],
    ['another version', Buffer.from('BTS1\x02\0\0\0'), 'speaks version 2'],
    ['an unknown frame type', after(frame(77)), 'frame type 77 is unknown'],
    ['an unknown flag', after(frame(8, 64)), 'unknown flags 64'],
    ['something reserved', after(frame(8, 0, 0, 0, 1)), 'where zero is reserved'],
    ['a call without an id', after(frame(2, 0, 0, 8)), 'has the call id 0'],
    [
      'a frame that is too large',
      after(frame(2, 0, 1, 0xffff_ffff)),
      'has 4294967295 bytes, at most 268435456',
    ],
    ['a cancel with a payload', after(frame(7, 0, 1, 8)), 'has 8 bytes, at most 0'],
    ['a frame of servers', after(frame(5, 0, 1)), 'a client may not send a frame of type 5'],
    ['a call without a method', after(frame(2, 0, 1, 8), Buffer.alloc(8)), 'names no method'],
    ['a call that is too short', after(frame(2, 0, 1, 0)), 'is too short'],
    [
      'names behind the frame',
      after(frame(2, 0, 1, 8), Buffer.from([9, 0, 0, 0, 0, 0, 0, 0])),
      'behind its frame',
    ],
    [
      'arguments that are missing',
      after(frame(2, 0, 1, 16), Buffer.from([1, 0, 1, 0, 0, 0, 0, 0, 65, 0, 0, 0, 0, 0, 0, 0])),
      'announces 1',
    ],
  ])('by %s is told so and closed', async (_how, bytes, words) => {
    const { text, error } = await answerTo(bytes);
    expect(text).toContain('protocol_error');
    expect(text).toContain(words);
    expect(error).toMatchObject({ code: 'protocol_error', message: expect.stringContaining(words) });
  });

  test('by a call id that does not rise is closed', async () => {
    const call = Buffer.concat([
      frame(2, 0, 5, 16),
      Buffer.from([1, 0, 0, 0, 0, 0, 0, 0, 65, 0, 0, 0, 0, 0, 0, 0]),
    ]);
    const { error } = await answerTo(after(call, call));
    expect(error).toMatchObject({ message: 'call id 5 does not rise above 5' });
  });

  async function clientAgainst(answer: (socket: Socket) => void): Promise<ClientConnection> {
    const { connect } = await listen('tcp', answer);
    return new ClientConnection(connect(), { runner: 'a', address: 'tcp://h:1' });
  }

  test('a server that speaks HTTP is named as such', async () => {
    const client = await clientAgainst((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const error = await errorOf(client.hello);
    expect(error).toMatchObject({
      code: 'protocol_error',
      message: "runner 'a' at tcp://h:1 answers in HTTP; expected a runner server of this project",
    });
  });

  test('a hello that is none ends the connection', async () => {
    const client = await clientAgainst((socket) =>
      socket.end(Buffer.concat([frame(1, 0, 0, 8), Buffer.alloc(8)])),
    );
    expect(await errorOf(client.hello)).toMatchObject({
      code: 'protocol_error',
      message: expect.stringContaining('hello'),
    });
  });

  test('calls fail as protocol_error and are not to be sent again', async () => {
    const client = await clientAgainst((socket) => socket.once('data', () => socket.end(frame(99))));
    const error = await errorOf(client.call('echo', []));
    expect(error).toMatchObject({ code: 'protocol_error' });
    expect(progressOf(error)).toBeUndefined();
  });

  test('a client that is refused learns why', async () => {
    const { connect } = await listen('tcp', (socket) => {
      new ServerConnection(socket, {
        hello: { runner: 'a', worker: 1, workers: 1, protocol: 1, methods: [] },
        onCall: () => undefined,
        limits: { maxFrameBytes: 100 },
      });
    });
    const client = new ClientConnection(connect(), { runner: 'a', address: 'h' });
    const call = errorOf(client.call('echo', [new Uint8Array(1000)]));
    expect(await client.closed).toMatchObject({
      message: expect.stringContaining('at most 100 are allowed'),
    });
    expect(await call).toMatchObject({ code: 'unavailable' });
  });
});

test('more calls than a connection takes are refused as overloaded and not started', async () => {
  const { client } = await createPair({
    onCall: () => undefined,
    server: { limits: { maxCallsInFlight: 2 } },
  });
  const calls = [1, 2, 3].map(() => errorOf(client.call('slow', [])));
  const error = await calls[2];
  expect(error).toMatchObject({ code: 'overloaded', message: expect.stringContaining('2 calls in flight') });
  expect(progressOf(error)).toBe('not_started');
  client.destroy();
  await Promise.all(calls);
});
