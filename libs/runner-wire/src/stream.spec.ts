import { ServeError } from '@bentots/errors';
import type { RunnerValue } from '@bentots/service';
import { describe, expect, test } from 'vitest';
import { createPair, errorOf, gate, until } from '../test/pair.js';
import type { IncomingCall } from './index.js';

async function collect(stream: AsyncIterable<RunnerValue>): Promise<RunnerValue[]> {
  const values: RunnerValue[] = [];
  for await (const value of stream) values.push(value);
  return values;
}

async function countUp(call: IncomingCall): Promise<void> {
  const [to] = call.args;
  for (let i = 0; i < Number(to); i += 1) await call.chunk(i);
  call.end();
}

describe('a stream', () => {
  test('gives its chunks in order and ends', async () => {
    const { client, server } = await createPair({ onCall: countUp });
    expect(await collect(client.stream('count', [1000]))).toEqual([...new Array(1000).keys()]);
    expect(await collect(client.stream('count', [0]))).toEqual([]);
    expect([client.inFlight, server.inFlight]).toEqual([0, 0]);
  });

  test('is called once it is read from', async () => {
    const { client, server } = await createPair({ onCall: countUp });
    const stream = client.stream('count', [1]);
    await client.ping(AbortSignal.timeout(20_000));
    expect(server.counters.calls).toBe(0);
    expect(await collect(stream)).toEqual([0]);
  });

  test('of chunks larger than the window flows too', async () => {
    const { client } = await createPair({
      onCall: async (call) => {
        for (let i = 0; i < 5; i += 1) await call.chunk(new Uint8Array(1_000_000).fill(i));
        call.end();
      },
    });
    const chunks = await collect(client.stream('big', []));
    expect(chunks.map((chunk) => chunk instanceof Uint8Array && [chunk.length, chunk[0]])).toEqual(
      [0, 1, 2, 3, 4].map((i) => [1_000_000, i]),
    );
  });

  test('that is answered with a result is a stream of one', async () => {
    const { client } = await createPair();
    expect(await collect(client.stream('echo', ['one']))).toEqual(['one']);
  });

  test('asked for as a result is an error that says so', async () => {
    const failed = gate<unknown>();
    const { client } = await createPair({ onCall: (call) => call.chunk(1).catch(failed.open) });
    const controller = new AbortController();
    const call = errorOf(client.call('count', [1], { signal: controller.signal }));
    expect(await failed.opened).toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining('one result'),
    });
    controller.abort();
    await call;
  });

  test('hands out values asked for before they came', async () => {
    const { client } = await createPair({ onCall: countUp });
    const iterator = client.stream('count', [2])[Symbol.asyncIterator]();
    const results = await Promise.all([iterator.next(), iterator.next(), iterator.next()]);
    expect(results.map(({ value }) => value)).toEqual([0, 1, undefined]);
  });
});

describe('an error in mid-stream', () => {
  test('comes after the chunks that were sent before it, with class and message, once', async () => {
    const { client } = await createPair({
      onCall: async (call) => {
        await call.chunk('a');
        throw new RangeError('no more');
      },
    });
    const iterator = client.stream('tokens', [])[Symbol.asyncIterator]();
    expect(await iterator.next()).toEqual({ done: false, value: 'a' });
    expect(await errorOf(iterator.next())).toMatchObject({
      code: 'runner_failed',
      message: "runner 'matmul' method 'tokens' failed: RangeError: no more",
    });
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });

  test('does not overtake chunks that wait to be read', async () => {
    const sent = gate();
    const { client } = await createPair({
      onCall: async (call) => {
        await call.chunk(1);
        await call.chunk(2);
        sent.open();
        throw new ServeError('overloaded', 'enough');
      },
    });
    const iterator = client.stream('tokens', [])[Symbol.asyncIterator]();
    expect(await iterator.next()).toMatchObject({ value: 1 });
    await sent.opened;
    await until(() => client.inFlight === 0);
    expect(await iterator.next()).toMatchObject({ value: 2 });
    expect(await errorOf(iterator.next())).toMatchObject({ code: 'overloaded' });
  });
});

describe('back-pressure', () => {
  test('a reader that stops stops the generator within the window, and reading on lets it go on', async () => {
    const progress = { sent: 0 };
    const { client } = await createPair({
      client: { limits: { streamWindowBytes: 64 * 1024 } },
      onCall: async (call) => {
        for (; progress.sent < 1000; progress.sent += 1) await call.chunk(new Uint8Array(8 * 1024));
        call.end();
      },
    });
    const iterator = client.stream('tokens', [])[Symbol.asyncIterator]();
    await iterator.next();
    await until(() => progress.sent >= 7);
    for (let i = 0; i < 20; i += 1) await client.ping(AbortSignal.timeout(20_000));
    expect(progress.sent).toBeLessThanOrEqual(9);
    const rest = { read: 1 };
    while ((await iterator.next()).done !== true) rest.read += 1;
    expect(rest.read).toBe(1000);
  });

  test('many small chunks are bounded in number', async () => {
    const progress = { sent: 0 };
    const { client } = await createPair({
      onCall: async (call) => {
        for (; progress.sent < 10_000; progress.sent += 1) await call.chunk(1);
      },
    });
    const iterator = client.stream('tokens', [])[Symbol.asyncIterator]();
    await iterator.next();
    for (let i = 0; i < 20; i += 1) await client.ping(AbortSignal.timeout(20_000));
    expect(progress.sent).toBeLessThanOrEqual(65);
    await iterator.return?.();
  });
});

describe('a stream that is left', () => {
  test('early cancels the call and wakes a generator that waits for room', async () => {
    const stopped = gate<unknown>();
    const { client, server } = await createPair({
      onCall: async (call) => {
        try {
          for (;;) await call.chunk(new Uint8Array(100_000));
        } catch (error) {
          stopped.open(error);
        }
      },
    });
    for await (const chunk of client.stream('endless', [])) {
      expect(chunk instanceof Uint8Array && chunk.length).toBe(100_000);
      break;
    }
    expect(await stopped.opened).toMatchObject({ code: 'cancelled' });
    expect([client.inFlight, server.inFlight]).toEqual([0, 0]);
  });

  test('by its signal fails with cancelled', async () => {
    const { client } = await createPair({ onCall: (call) => call.chunk(1) });
    const controller = new AbortController();
    const iterator = client.stream('t', [], { signal: controller.signal })[Symbol.asyncIterator]();
    await iterator.next();
    const next = errorOf(iterator.next());
    controller.abort();
    expect(await next).toMatchObject({ code: 'cancelled' });
  });

  test('at its deadline fails with deadline_exceeded', async () => {
    const { client } = await createPair({ onCall: (call) => call.chunk(1) });
    const stream = client.stream('t', [], { deadline: Date.now() + 30 });
    expect(await errorOf(collect(stream))).toMatchObject({ code: 'deadline_exceeded' });
  });

  test('by its connection fails with unavailable', async () => {
    const { client, serverSocket } = await createPair({ onCall: (call) => call.chunk(1) });
    const iterator = client.stream('t', [])[Symbol.asyncIterator]();
    await iterator.next();
    serverSocket.destroy();
    expect(await errorOf(iterator.next())).toMatchObject({
      code: 'unavailable',
      message: "connection to runner 'matmul' at here was lost while the call was running",
    });
  });
});
