import { getEventListeners } from 'node:events';
import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { memoryInUse } from '../test/memory.js';
import { type Family, type Gate, gate, listen, until } from '../test/pair.js';
import { ClientConnection, type IncomingCall, ServerConnection } from './index.js';

/** Calls of all kinds, half of them over either kind of socket; what one leaves behind shows: 100 bytes a call would be 10 MB. */
const CALLS = 100_000;
const AT_A_TIME = 32;

/** A connection is cut under its calls after each so many calls. */
const CALLS_PER_CUT = 256;

const WINDOW_BYTES = 16 * 1024;

/** What is going on in the runner's end; all of it must come to an end. */
const running = { methods: 0, chunks: 0 };

async function serve(call: IncomingCall): Promise<void> {
  running.methods += 1;
  try {
    await answer(call);
  } finally {
    running.methods -= 1;
  }
}

async function answer(call: IncomingCall): Promise<void> {
  call.timing({ queueMs: 1, batchMs: 1, inferMs: 1, batchRows: 1 });
  if (call.method === 'fail') throw new RangeError('as asked');
  if (call.method === 'echo') return call.respond(call.args[0]);
  if (call.method === 'never') {
    await new Promise((resolve) => call.signal.addEventListener('abort', resolve, { once: true }));
    return call.respond('too late');
  }
  // More than the window: it waits for credit again and again.
  for (let i = 0; i < 8; i += 1) {
    running.chunks += 1;
    await call.chunk(new Uint8Array(4096)).finally(() => (running.chunks -= 1));
  }
  return call.end();
}

interface Ends {
  readonly client: ClientConnection;
  readonly server: ServerConnection;
  readonly socket: Socket;
}

/** What the kernel does for this process, but timers and files, which are the test runner's, too. */
function socketsAndWrites(): string[] {
  return process
    .getActiveResourcesInfo()
    .filter((name) => name.endsWith('Wrap'))
    .sort();
}

/** A server, and how to connect to it. */
async function open(family: Family): Promise<() => Promise<Ends>> {
  const accepting: Gate<ServerConnection>[] = [];
  const { connect } = await listen(family, (socket) => {
    const hello = { runner: 'a', worker: 1, workers: 1, protocol: 1, methods: [] } as const;
    accepting.shift()?.open(new ServerConnection(socket, { hello, onCall: serve }));
  });
  return async () => {
    const accepted = gate<ServerConnection>();
    accepting.push(accepted);
    const socket = connect();
    const limits = { streamWindowBytes: WINDOW_BYTES };
    const client = new ClientConnection(socket, { runner: 'a', address: 'h', limits });
    await client.hello;
    return { client, socket, server: await accepted.opened };
  };
}

async function read(client: ClientConnection, most: number, signal: AbortSignal): Promise<void> {
  const state = { read: 0 };
  for await (const chunk of client.stream('stream', [], { signal, onTiming: () => undefined })) {
    state.read += chunk instanceof Uint8Array ? 1 : 0;
    if (state.read === most) break;
  }
}

/** One call of each kind in turn. */
function call(client: ClientConnection, kind: number, shared: AbortSignal): Promise<unknown> {
  const deadline = Date.now() + 60_000;
  const controller = new AbortController();
  const signal = controller.signal;
  switch (kind % 8) {
    case 0:
      return client.call('fail', [], { signal: shared }).catch(() => undefined);
    case 1:
      setImmediate(() => controller.abort());
      return client.call('never', [], { signal, deadline }).catch(() => undefined);
    case 2:
      return read(client, kind % 3 === 0 ? 1 : Infinity, shared);
    case 3:
      return client.call('never', [], { deadline: Date.now() + 1, signal: shared }).catch(() => undefined);
    case 4:
      return client.ping(shared);
    default:
      return client.call('echo', [new Uint8Array(64)], {
        signal: shared,
        deadline,
        onTiming: () => undefined,
      });
  }
}

/** Ends a connection under calls of every kind, in one of five ways. */
async function cut({ client, server, socket }: Ends, way: number, shared: AbortSignal): Promise<void> {
  const never = client.call('never', [new Uint8Array(100_000)], {
    signal: shared,
    deadline: Date.now() + 60_000,
  });
  const calls = [
    never,
    client.call('never', []),
    read(client, Infinity, shared),
    client.stream('stream', []).next(),
    client.ping(shared),
  ];
  const settled = Promise.allSettled(calls);
  await until(() => server.inFlight >= 3);
  const ways = [
    () => socket.destroy(),
    () => client.destroy(),
    () => server.destroy(),
    () => void client.close(AbortSignal.abort()),
    () => void server.close(AbortSignal.abort()),
  ];
  ways[way % ways.length]?.();
  await Promise.all([settled, client.closed, server.closed]);
  expect([client.inFlight, server.inFlight]).toEqual([0, 0]);
}

test.each(['unix', 'tcp'] as const)('50,000 calls, cancels, disconnects and cut streams over %s leave nothing behind', async (family) => {
  const connect = await open(family);
  const shared = new AbortController();
  const resources = socketsAndWrites();
  const kept = await connect();
  const run = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i += AT_A_TIME) {
      await Promise.all(Array.from({ length: AT_A_TIME }, (_, j) => call(kept.client, i + j, shared.signal)));
      if (i % CALLS_PER_CUT === 0) await cut(await connect(), i / CALLS_PER_CUT, shared.signal);
    }
    await kept.client.ping(AbortSignal.timeout(20_000));
  };
  await run(CALLS / 20);
  const before = memoryInUse();
  await run(CALLS / 2);
  const after = memoryInUse();
  expect(after.heap - before.heap).toBeLessThan(4 * 1024 * 1024);
  expect(after.buffers - before.buffers).toBeLessThan(4 * 1024 * 1024);
  expect(kept.client.counters.calls).toBe(kept.server.counters.calls);
  expect([kept.client.inFlight, kept.server.inFlight]).toEqual([0, 0]);
  expect(getEventListeners(shared.signal, 'abort').length).toBe(0);
  expect(kept.socket.listenerCount('error') + kept.socket.listenerCount('close')).toBeLessThan(10);
  await kept.client.close();
  await kept.server.closed;
  await until(() => running.methods + running.chunks === 0);
  await until(() => kept.socket.closed);
  expect(socketsAndWrites()).toEqual(resources);
}, 180_000); // prettier-ignore
