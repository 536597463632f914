import { connect, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { Tensor } from '@bentots/service';
import { describe, expect, test } from 'vitest';
import { createPair, gate, listen, until } from '../test/pair.js';
import { ClientConnection, detectProtocol, ServerConnection } from './index.js';
import { readDirectly, unsentBytes } from './socket-handle.js';

const big = new Tensor(
  'float32',
  Float32Array.from({ length: 300_000 }, (_, i) => i),
  [300_000],
);

/** What a socket is given, where it was told to put it. */
class Sink {
  readonly memory = Buffer.alloc(1024);
  readonly read = gate();
  filled = 0;

  room(): Buffer {
    return this.memory.subarray(this.filled);
  }

  onRead(bytes: number): void {
    this.filled += bytes;
    if (this.filled === 6) this.read.open();
  }
}

describe('with this version of Node', () => {
  test.each(['unix', 'tcp'] as const)('both ends of a %s socket are read where it is wanted', async (family) => {
    const accepted = gate<Socket>();
    const { connect: open } = await listen(family, accepted.open);
    const client = open();
    const server = await accepted.opened;
    for (const [from, to] of [[client, server], [server, client]] as const) {
      const sink = new Sink();
      expect(readDirectly(to, sink)).toBe(true);
      from.write('abc');
      await until(() => sink.filled === 3);
      from.write('def');
      await sink.read.opened;
      expect(sink.memory.toString('utf8', 0, 6)).toBe('abcdef');
    }
    const ended = gate();
    server.once('close', () => ended.open());
    client.end();
    server.once('end', () => server.end());
    await ended.opened;
  }); // prettier-ignore

  test('what a peer does not take is known', async () => {
    const { connect: open } = await listen('unix', (socket) => void socket.pause());
    const client = open();
    client.write(Buffer.alloc(8 * 1024 * 1024));
    await until(() => unsentBytes(client) > 1024 * 1024);
    client.destroy();
    expect(unsentBytes(client)).toBe(0);
  });
});

test('a socket that cannot be read so is read as usual', async () => {
  const plain = connect({ path: '/nowhere', autoSelectFamily: false }).on('error', () => undefined);
  expect(readDirectly(new TLSSocket(plain), new Sink())).toBe(false);
  plain.destroy();

  const { connect: open } = await listen('unix', (socket) => {
    Reflect.set(Object(Reflect.get(socket, '_handle')), 'useUserBuffer', undefined);
    expect(readDirectly(socket, new Sink())).toBe(false);
    const hello = { runner: 'a', worker: 1, workers: 1, protocol: 1, methods: [] } as const;
    return new ServerConnection(socket, { hello, onCall: (call) => call.respond(call.args[0]) });
  });
  const client = new ClientConnection(open(), { runner: 'a', address: 'h' });
  expect(await Promise.all([client.call('echo', [big]), client.call('echo', ['small'])])).toEqual([
    big,
    'small',
  ]);
});

test('calls that came with the bytes that told the protocol are answered', async () => {
  const { connect: open } = await listen('unix', async (socket) => {
    await detectProtocol(socket);
    const hello = { runner: 'a', worker: 1, workers: 1, protocol: 1, methods: [] } as const;
    return new ServerConnection(socket, { hello, onCall: (call) => call.respond(call.args[0]) });
  });
  const client = new ClientConnection(open(), { runner: 'a', address: 'h' });
  const answers = await Promise.all(['first', big, 'last'].map((value) => client.call('echo', [value])));
  expect(answers).toEqual(['first', big, 'last']);
});

test('what was received keeps its value, whatever comes after it', async () => {
  const { client } = await createPair();
  const sent = Array.from(
    { length: 400 },
    (_, i) => new Tensor('int32', Int32Array.of(i, i + 1, i * i), [3]),
  );
  const received = await Promise.all(sent.map((tensor) => client.call('echo', [tensor])));
  await Promise.all(sent.map(() => client.call('echo', [big])));
  expect(received).toEqual(sent);
});
