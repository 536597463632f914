import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type ConnectionOptions, connect, createServer, type Server } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createAuthority, createCertificate, createFolder, type Pair } from '../test/certificates.js';
import { compileSslOptions, type SslOptions } from './compile-ssl-options.js';
import { guardClientCertificates } from './guard-client-certificates.js';
import { loadTlsOptions } from './load-tls-options.js';

interface World {
  folder: Awaited<ReturnType<typeof createFolder>>;
  authority: Pair;
  friend: Pair;
  stranger: Pair;
}
const worlds: World[] = [];
const servers: Server[] = [];

beforeAll(async () => {
  const [authority, foreign] = await Promise.all([createAuthority('ours'), createAuthority('foreign')]);
  const [server, friend, stranger] = await Promise.all([
    createCertificate(authority),
    createCertificate(authority),
    createCertificate(foreign),
  ]);
  const folder = await createFolder({
    'cert.pem': server.cert,
    'key.pem': server.key,
    'ca.pem': authority.cert,
  });
  worlds.push({ folder, authority, friend, stranger });
});

afterEach(async () => {
  await Promise.all(
    servers.splice(0).map((server) => {
      server.close();
      return once(server, 'close');
    }),
  );
});
afterAll(() => Promise.all(worlds.map((world) => world.folder.remove())));

function world(): World {
  const [first] = worlds;
  if (first === undefined) throw new Error('no world');
  return first;
}

/** A server that greets whoever it lets in. */
async function serve(options: SslOptions): Promise<number> {
  const { folder } = world();
  const files = { certfile: folder.path('cert.pem'), keyfile: folder.path('key.pem') };
  const settings = compileSslOptions({ ...files, ...options });
  if (settings === undefined) throw new Error('no settings');
  const server = createServer(await loadTlsOptions(settings), (socket) => {
    socket.on('error', () => undefined);
    if (!socket.destroyed) socket.end('welcome');
  });
  guardClientCertificates(server, settings);
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** What a client hears: the greeting, or nothing. */
function ask(port: number, options: ConnectionOptions = {}): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, ca: world().authority.cert, ...options });
    const heard: string[] = [];
    socket.on('data', (data) => heard.push(data.toString()));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(heard.join('')));
  });
}

describe('without client certificates', () => {
  test('a client that trusts the authority is greeted', async () => {
    expect(await ask(await serve({}))).toBe('welcome');
  });

  test('TLS 1.1 is refused', async () => {
    const port = await serve({});
    expect(
      await ask(port, { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' }),
    ).toBe('');
  });

  test('a suite without forward secrecy is refused', async () => {
    const port = await serve({});
    expect(await ask(port, { maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA' })).toBe('');
    expect(await ask(port, { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA' })).toBe('');
    expect(await ask(port, { maxVersion: 'TLSv1.2' })).toBe('welcome');
  });
});

test('version TLSv1.3 refuses TLS 1.2', async () => {
  const port = await serve({ version: 'TLSv1.3' });
  expect(await ask(port, { maxVersion: 'TLSv1.2' })).toBe('');
  expect(await ask(port)).toBe('welcome');
});

test('configured ciphers refuse all others', async () => {
  const port = await serve({ ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' });
  expect(await ask(port, { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' })).toBe('');
  expect(await ask(port, { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' })).toBe(
    'welcome',
  );
});

describe.each([
  { certReqs: 'required', none: '', stranger: '' },
  { certReqs: 'optional', none: 'welcome', stranger: '' },
] as const)('client certificates $certReqs', ({ certReqs, none, stranger }) => {
  test('let in one of the authority', async () => {
    const port = await serve({ certReqs, caCerts: world().folder.path('ca.pem') });
    expect(await ask(port, world().friend)).toBe('welcome');
  });

  test(`answer a client without with ${none || 'nothing'}`, async () => {
    expect(await ask(await serve({ certReqs, caCerts: world().folder.path('ca.pem') }))).toBe(none);
  });

  test('refuse one of another authority', async () => {
    const port = await serve({ certReqs, caCerts: world().folder.path('ca.pem') });
    expect(await ask(port, world().stranger)).toBe(stranger);
  });
});
