import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { recognise, sniffProtocol, type SpokenProtocol } from './first-bytes.js';

describe('the first bytes', () => {
  test.each([
    ['BTS1', 'frames'],
    ['BTS1 and more', 'frames'],
    ['BTS', undefined],
    ['', undefined],
    ['BTS2', 'http'],
    ['BREW / HTTP/1.1', 'http'],
    ['G', 'http'],
  ])('%j begin %s', (text, protocol) => {
    expect(recognise(Buffer.from(text))).toBe(protocol);
  });
});

describe('a fresh connection', () => {
  const told: { protocol: SpokenProtocol; socket: Socket }[] = [];
  const server = createServer((socket) =>
    sniffProtocol(socket, (protocol) => {
      told.push({ protocol, socket });
      server.emit('told');
    }),
  );

  beforeEach(async () => {
    told.length = 0;
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(async () => {
    for (const { socket } of told) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  const open = (): Socket => connect((server.address() as AddressInfo).port, '127.0.0.1');

  test('that speaks frames is told when its preface is whole, and no byte is lost', async () => {
    const client = open();
    client.write('BT');
    await once(server, 'connection');
    client.write('S1hello');
    await once(server, 'told');
    expect(told[0]?.protocol).toBe('frames');
    const [socket] = told.map((t) => t.socket);
    const received: string[] = [];
    socket?.on('data', (chunk: Buffer) => {
      received.push(chunk.toString());
      if (received.join('') === 'BTS1hello world') client.end();
    });
    client.write(' world');
    await once(client, 'close');
    expect(received.join('')).toBe('BTS1hello world');
  });

  test('that speaks anything else is told as HTTP at its first byte', async () => {
    const client = open();
    client.write('P');
    await once(server, 'told');
    expect(told[0]?.protocol).toBe('http');
    client.destroy();
  });

  test('that leaves before it said enough is closed, and never told', async () => {
    const client = open();
    client.end('BT');
    await once(client, 'close');
    expect(told).toEqual([]);
  });
});
