import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import https from 'node:https';
import { type AddressInfo, connect, type Server as NetServer } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { connectRunner, type RemoteRunner, type RunnerTls } from '@bentots/runner-client';
import type { RunnerAddress } from '@bentots/runner-map';
import { compileSslOptions, loadTlsOptions, type SslOptions } from '@bentots/ssl';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createAuthority, createCertificate, createFolder, type Pair } from '../test/certificates.js';
import { FrameServer } from './frame-server.js';

interface World {
  readonly authority: Pair;
  readonly friend: Pair;
  readonly stranger: Pair;
  readonly folder: Awaited<ReturnType<typeof createFolder>>;
}

let world: World;
const cleanups: (() => unknown)[] = [];

beforeAll(async () => {
  const [authority, foreign] = await Promise.all([createAuthority('ours'), createAuthority('foreign')]);
  const [server, friend, stranger] = await Promise.all(
    [authority, authority, foreign].map((signer) => createCertificate(signer)),
  );
  if (!server || !friend || !stranger) throw new Error('unreachable');
  const files = { 'cert.pem': server.cert, 'key.pem': server.key, 'ca.pem': authority.cert };
  world = { authority, friend, stranger, folder: await createFolder(files) };
});
afterAll(() => world.folder.remove());
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A runner server over TLS that answers every call with its name, and what it said of clients it let not in. */
async function start(more: SslOptions = {}) {
  const { folder } = world;
  const settings = compileSslOptions({
    certfile: folder.path('cert.pem'),
    keyfile: folder.path('key.pem'),
    ...more,
  });
  if (settings === undefined) throw new Error('no settings');
  const refused: string[] = [];
  const door = createHttpServer((_, response) => response.end('the door'));
  const bound: { port?: number } = {};
  const frames = new FrameServer({
    hello: { runner: 'model', worker: 1, workers: 1, protocol: 1, methods: [] },
    answer: (call) => Promise.resolve(call.respond(call.method)),
    isReady: () => true,
    http: { adopt: (socket) => void door.emit('connection', socket), drain: () => Promise.resolve() },
    tls: {
      settings,
      loaded: await loadTlsOptions(settings),
      onRefused: (_, reason) => refused.push(reason),
    },
    serve: async (server: NetServer) => {
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      bound.port = (server.address() as AddressInfo).port;
    },
  });
  await new Promise<void>((resolve, reject) =>
    frames.listen((error) => (error === undefined ? resolve() : reject(errorOf(error)))),
  );
  cleanups.push(() => frames.close());
  return { frames, refused, port: bound.port ?? 0 };
}

function errorOf(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

function client(port: number, kind: 'tcp' | 'tcps', tls?: RunnerTls): RemoteRunner {
  const address: RunnerAddress = { kind, host: '127.0.0.1', port };
  const handle = connectRunner('model', [address], { tls, closeTimeoutMs: 100 });
  cleanups.push(() => handle.close());
  return handle;
}

const trust = (): RunnerTls => ({ ca: [world.authority.cert] });

function call(handle: RemoteRunner): Promise<unknown> {
  return handle.run('hi', [], {}).catch((error: unknown) => error);
}

/** The body of a GET, or the code of the error. */
function get(port: number, options: https.RequestOptions = {}): Promise<string> {
  return new Promise((resolve) => {
    const request = https.get({ host: '127.0.0.1', port, agent: false, ...options }, (response) => {
      response.on('data', (body: Buffer) => resolve(body.toString()));
    });
    request.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

describe('a port with a certificate', () => {
  test('serves the wire and HTTP over TLS', async () => {
    const { port, refused } = await start();
    expect(await call(client(port, 'tcps', trust()))).toBe('hi');
    expect(await get(port, { ca: world.authority.cert })).toBe('the door');
    expect(refused).toEqual([]);
  });

  test('tells a runner client that speaks plain text what to do', async () => {
    const { port, refused } = await start();
    expect(await call(client(port, 'tcp'))).toMatchObject({
      code: 'runner_map_invalid',
      message: expect.stringContaining('it speaks TLS: write tcps:// instead of tcp://'),
    });
    expect(refused).toEqual([
      'it speaks plain text: this port is tcps:// in runner maps, https:// for others',
    ]);
  });

  test('tells a browser that speaks plain text what to do', async () => {
    const { port } = await start();
    const answer = await fetch(`http://127.0.0.1:${port}/livez`);
    expect([answer.status, await answer.text()]).toEqual([400, 'this port speaks TLS: use https://\n']);
  });

  test('speaks no TLS 1.1', async () => {
    const { port, refused } = await start();
    const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' } as const;
    expect(await get(port, { ca: world.authority.cert, ...old })).toMatch(/SSL|EPROTO/);
    expect(refused.length).toBe(1);
  });
});

describe('a port that wants certificates', () => {
  test('serves a client that has one of its authority', async () => {
    const { port } = await start({ caCerts: world.folder.path('ca.pem') });
    expect(await call(client(port, 'tcps', { ...trust(), ...world.friend }))).toBe('hi');
    expect(await get(port, { ca: world.authority.cert, ...world.friend })).toBe('the door');
  });

  test('refuses a client that has none, and says so on both sides', async () => {
    const { port, refused } = await start({ caCerts: world.folder.path('ca.pem') });
    expect(await call(client(port, 'tcps', trust()))).toMatchObject({
      code: 'tls_invalid',
      message: expect.stringContaining('it wants a client certificate; give one with --runner-ssl-certfile'),
    });
    expect(refused).toEqual(['it shows no client certificate']);
    expect(await get(port, { ca: world.authority.cert })).not.toBe('the door');
  });

  test('refuses a client that has one of another authority', async () => {
    const { port, refused } = await start({ caCerts: world.folder.path('ca.pem') });
    expect(await call(client(port, 'tcps', { ...trust(), ...world.stranger }))).toMatchObject({
      code: 'tls_invalid',
      message: expect.stringContaining('it may not trust the authority of the client certificate'),
    });
    expect(refused).toEqual([expect.stringMatching(/^its certificate is refused: UNABLE_TO_VERIFY/)]);
    expect(await get(port, { ca: world.authority.cert, ...world.stranger })).not.toBe('the door');
  });
});

describe('draining', () => {
  test('waits for a client in the midst of its handshake', async () => {
    const { port, frames } = await start();
    const raw = connect(port, '127.0.0.1');
    await once(raw, 'connect');
    const drained = frames.drain(AbortSignal.timeout(20_000), { hurry: false });
    const socket = connectTls({ socket: raw, ca: world.authority.cert, host: '127.0.0.1' });
    await once(socket, 'secureConnect');
    socket.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    const [answer] = await once(socket, 'data');
    expect(String(answer)).toContain('the door');
    socket.destroy();
    await drained;
  });

  test('ends what never says anything', async () => {
    const { port, frames } = await start();
    const raw = connect(port, '127.0.0.1');
    await once(raw, 'connect');
    const ended = once(raw, 'close');
    await frames.drain(AbortSignal.timeout(20_000), { hurry: true });
    await ended;
  });
});
