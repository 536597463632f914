import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { ClientConnection } from './client-connection.js';

/** Both ends of a connection. */
async function connectPair(): Promise<{ near: Socket; far: Socket }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection');
  const far = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [near] = (await accepted) as [Socket];
  onTestFinished(() => {
    far.destroy();
    near.destroy();
    server.close();
  });
  return { near, far };
}

test('a connection is the same for all its requests, and knows its peer after its end', async () => {
  const { near, far } = await connectPair();
  const connection = ClientConnection.of(near);
  expect(ClientConnection.of(near)).toBe(connection);
  expect(connection.signal).toBe(connection.signal);
  const { localPort } = far;
  far.destroy();
  await once(near.resume(), 'close');
  expect(connection.peer).toBe(`127.0.0.1:${localPort}`);
});

test('its signal is aborted as cancelled when the client goes away, and not before', async () => {
  const { near, far } = await connectPair();
  const { signal } = ClientConnection.of(near.resume());
  expect(signal.aborted).toBe(false);
  far.destroy();
  await once(signal, 'abort');
  expect(signal.reason).toMatchObject({ code: 'cancelled' });
});

test('one that was closed before anybody asked has an aborted signal', async () => {
  const { near, far } = await connectPair();
  far.destroy();
  await once(near.resume(), 'close');
  expect(ClientConnection.of(near).signal.aborted).toBe(true);
});
