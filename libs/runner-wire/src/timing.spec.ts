import { type Priority, type RunnerTiming } from '@bentots/service';
import { describe, expect, test } from 'vitest';
import { createPair, errorOf, gate, listen } from '../test/pair.js';
import { ByteWriter } from './frames/byte-writer.js';
import { FLAG, FRAME, PREFACE } from './frames/frame.js';
import { ClientConnection, type IncomingCall, ServerConnection } from './index.js';
import { writeCall } from './payloads/call-payload.js';
import { writeValue } from './payloads/encode-values.js';
import { writeTiming } from './payloads/timing.js';

const TIMING: RunnerTiming = { queueMs: 1.5, batchMs: 0.25, inferMs: 40, batchRows: 16 };

describe('priority', () => {
  test.each<[Priority | undefined, Priority]>([
    ['high', 'high'],
    ['low', 'low'],
    ['normal', 'normal'],
    [undefined, 'normal'],
  ])('of a call made with %s is %s', async (priority, expected) => {
    const { client } = await createPair({ onCall: (call) => call.respond(call.priority) });
    expect(await client.call('echo', [], { priority })).toBe(expected);
  });

  test('of a stream arrives, too', async () => {
    const { client } = await createPair({ onCall: (call) => call.respond(call.priority) });
    expect(await client.stream('echo', [], { priority: 'low' }).next()).toMatchObject({ value: 'low' });
  });
});

describe('timing', () => {
  test('comes before the result, once', async () => {
    const { client } = await createPair({
      onCall: (call) => {
        call.timing(TIMING);
        call.timing({ ...TIMING, queueMs: 99 });
        call.respond('done');
      },
    });
    const events: unknown[] = [];
    const result = client.call('echo', [], { onTiming: (timing) => events.push(timing) });
    events.push(await result);
    expect(events).toEqual([TIMING, 'done']);
  });

  test('comes before an error and before the first chunk', async () => {
    const { client } = await createPair({
      onCall: async (call) => {
        call.timing(TIMING);
        if (!call.stream) throw new RangeError('as asked');
        await call.chunk(1);
        call.end();
      },
    });
    const events: unknown[] = [];
    const onTiming = (timing: RunnerTiming): unknown => events.push(timing.inferMs);
    events.push(await errorOf(client.call('fail', [], { onTiming })));
    for await (const chunk of client.stream('count', [], { onTiming })) events.push(chunk);
    expect(events).toEqual([40, expect.objectContaining({ code: 'runner_failed' }), 40, 1]);
  });

  test('that nobody asked for, or that comes behind a chunk, is not sent', async () => {
    const seen: boolean[] = [];
    const { client, server } = await createPair({
      onCall: async (call) => {
        seen.push(call.wantsTiming);
        if (!call.wantsTiming) call.timing(TIMING);
        await call.chunk(1);
        call.timing(TIMING);
        call.end();
        call.timing(TIMING);
      },
    });
    await client.hello;
    const framesOut = server.counters.framesOut;
    for await (const chunk of client.stream('count', [])) expect(chunk).toBe(1);
    for await (const chunk of client.stream('count', [], { onTiming: () => expect.fail() }))
      expect(chunk).toBe(1);
    expect(seen).toEqual([false, true]);
    expect(server.counters.framesOut - framesOut).toBe(4);
  });

  test('that cannot be true is said as nothing', async () => {
    const { client } = await createPair({
      onCall: (call) => {
        call.timing({ queueMs: -1, batchMs: Number.NaN, inferMs: Infinity, batchRows: 3 });
        call.respond(1);
      },
    });
    const told = gate<RunnerTiming>();
    await client.call('echo', [], { onTiming: told.open });
    expect(await told.opened).toEqual({ queueMs: 0, batchMs: 0, inferMs: 0, batchRows: 3 });
  });

  test('whose listener throws fails its call alone', async () => {
    const { client } = await createPair({
      onCall: (call) => {
        call.timing(TIMING);
        call.respond('done');
      },
    });
    const onTiming = (): never => {
      throw new TypeError('listener');
    };
    const [failed, other] = await Promise.all([
      errorOf(client.call('a', [], { onTiming })),
      client.call('b', []),
    ]);
    expect(failed).toMatchObject({ cause: expect.objectContaining({ message: 'listener' }) });
    expect(other).toBe('done');
  });

  test('of a call that was given up hurts nobody', async () => {
    const held = gate<IncomingCall>();
    const { client } = await createPair({
      onCall: (call) => (call.method === 'slow' ? held.open(call) : call.respond(1)),
    });
    const controller = new AbortController();
    const options = { signal: controller.signal, onTiming: () => expect.fail() };
    const given = errorOf(client.call('slow', [], options));
    const call = await held.opened;
    // Sent in the turn in which the caller gives up: the frames cross.
    call.timing(TIMING);
    controller.abort();
    await given;
    expect(await client.call('echo', [])).toBe(1);
  });
});

describe('a peer that breaks the rules', () => {
  /** What a client's stream ends with when a server answers its call with these frames. */
  async function answer(write: (writer: ByteWriter) => void, wantsTiming = true): Promise<unknown> {
    const { connect } = await listen('unix', (socket) => {
      const writer = new ByteWriter();
      write(writer);
      socket.once('data', () => socket.write(Buffer.concat(writer.take())));
    });
    const client = new ClientConnection(connect(), { runner: 'a', address: 'h' });
    const stream = client.stream('m', [], wantsTiming ? { onTiming: () => undefined } : {});
    return errorOf(stream.next().then(() => stream.next()));
  }
  const frame = (writer: ByteWriter, type: number, write?: () => void): void => {
    writer.beginFrame(type, 0, 1, 0);
    write?.();
    writer.endFrame();
  };
  const timing = (writer: ByteWriter): void => frame(writer, FRAME.timing, () => writeTiming(writer, TIMING));

  test.each<[string, (writer: ByteWriter) => void, string]>([
    ['timing twice', (writer) => [timing(writer), timing(writer)], 'came twice'],
    ['timing behind a chunk', (writer) => [frame(writer, FRAME.chunk, () => writeValue(writer, 1)), timing(writer)], 'behind a chunk'],
    ['timing of twelve bytes', (writer) => frame(writer, FRAME.timing, () => writer.raw(new Uint8Array(12))), '12 bytes, 16 are expected'],
    ['timing of 24 bytes', (writer) => frame(writer, FRAME.timing, () => writer.raw(new Uint8Array(24))), 'has 24 bytes, at most 16 are allowed'],
    ['timing that is no number', (writer) => frame(writer, FRAME.timing, () => writer.raw(new Uint8Array(16).fill(255))), 'queueMs is NaN'],
    ['a negative time', (writer) => frame(writer, FRAME.timing, () => [0, -2, 0, 1].forEach((n) => writer.f32(n))), 'batchMs is -2'],
  ])('%s is a protocol error', async (_, write, words) => {
    expect(await answer(write)).toMatchObject({ code: 'protocol_error', message: expect.stringContaining(words) });
  }); // prettier-ignore

  test('timing that was not asked for is a protocol error', async () => {
    expect(await answer(timing, false)).toMatchObject({ message: expect.stringContaining('not asked for') });
  });

  test('a call of both priorities is a protocol error', async () => {
    const closed = gate<unknown>();
    const { connect } = await listen('unix', (socket) => {
      const hello = { runner: 'a', worker: 1, workers: 1, protocol: 1, methods: [] } as const;
      const server = new ServerConnection(socket, { hello, onCall: () => expect.fail() });
      void server.closed.then(closed.open);
    });
    const writer = new ByteWriter();
    writer.raw(PREFACE);
    writer.beginFrame(FRAME.call, FLAG.priorityHigh | FLAG.priorityLow, 1, 0);
    writeCall(writer, { method: 'm', traceparent: undefined, window: 0, args: [] });
    writer.endFrame();
    connect().write(Buffer.concat(writer.take()));
    expect(await closed.opened).toMatchObject({
      code: 'protocol_error',
      message: 'a call is flagged with both high and low priority',
    });
  });
});
