import { createServer } from 'node:http';
import { describe, expect, test } from 'vitest';
import { gate, listen } from '../test/pair.js';
import { ClientConnection, detectProtocol, type DetectedProtocol, ServerConnection } from './index.js';

async function listenForBoth() {
  const http = createServer((request, response) => {
    request.resume().on('end', () => response.end(`${request.method} ${request.url}`));
  });
  return listen('tcp', (socket) => {
    void detectProtocol(socket).then((protocol) => {
      if (protocol === 'other') http.emit('connection', socket);
      if (protocol === 'wire') {
        new ServerConnection(socket, {
          hello: { runner: 'a', worker: 1, workers: 1, protocol: 1, methods: ['echo'] },
          onCall: (call) => call.respond(call.args[0]),
        });
      }
    });
  });
}

describe('one port for both protocols', () => {
  test('serves the wire', async () => {
    const { connect } = await listenForBoth();
    const client = new ClientConnection(connect(), { runner: 'a', address: 'h' });
    const bytes = new Uint8Array(300_000).fill(3);
    expect(await client.call('echo', [bytes])).toEqual(bytes);
  });

  test('serves HTTP, with bodies and kept-alive connections', async () => {
    const { connect, server } = await listenForBoth();
    const address = server.address();
    if (typeof address !== 'object' || address === null) throw new Error('no port');
    const url = `http://127.0.0.1:${address.port}`;
    for (const path of ['/livez', '/readyz'])
      expect(await (await fetch(url + path)).text()).toBe(`GET ${path}`);
    const post = await fetch(`${url}/predict`, { method: 'POST', body: 'x'.repeat(200_000) });
    expect(await post.text()).toBe('POST /predict');
    connect().destroy();
  });
});

async function detect(pieces: readonly string[], timeoutMs?: number): Promise<DetectedProtocol> {
  const detected = gate<DetectedProtocol>();
  const { connect } = await listen('tcp', (socket) => {
    void detectProtocol(socket, timeoutMs).then((protocol) => {
      detected.open(protocol);
      socket.destroy();
    });
  });
  const socket = connect();
  for (const piece of pieces) {
    await new Promise((resolve) => socket.write(piece, resolve));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  if (pieces.includes('')) socket.end();
  return detected.opened;
}

describe('detectProtocol', () => {
  test.each<[readonly string[], DetectedProtocol]>([
    [['B', 'T', 'S', '1'], 'wire'],
    [['BT', 'X'], 'other'],
    [['BTS2'], 'other'],
    [['G'], 'other'],
    [['BT', ''], 'closed'],
    [[''], 'closed'],
  ])('%j is %s', async (pieces, protocol) => {
    expect(await detect(pieces)).toBe(protocol);
  });

  test('a peer that says nothing is let go after a while', async () => {
    expect(await detect([], 20)).toBe('closed');
  });
});
