import type { TlsOptions } from 'node:tls';
import type { RunnerAddress } from '@bentots/runner-map';
import { beforeAll, describe, expect, test } from 'vitest';
import { createAuthority, createCertificate, type Pair } from '../test/certificates.js';
import { errorOf, openHandle, startRunner, type TestRunner } from '../test/runner-server.js';
import { connectRunner, type RemoteRunner, type RunnerClientOptions, type RunnerTls } from './index.js';

interface World {
  readonly authority: Pair;
  readonly foreign: Pair;
  readonly server: Pair;
  readonly friend: Pair;
  readonly stranger: Pair;
}

let world: World;

beforeAll(async () => {
  const [authority, foreign] = await Promise.all([createAuthority('ours'), createAuthority('foreign')]);
  const [server, friend, stranger] = await Promise.all([
    createCertificate(authority, { names: ['runner.test'] }),
    createCertificate(authority),
    createCertificate(foreign),
  ]);
  world = { authority, foreign, server, friend, stranger };
});

/** A runner over TLS; mutual: it wants a certificate of our authority. */
function startTls(more: TlsOptions = {}): Promise<TestRunner> {
  const address = { kind: 'tcps', host: '127.0.0.1', port: 0 } as const;
  return startRunner({
    address,
    tls: { ...world.server, ...more },
    onCall: (call) => call.respond('served'),
  });
}

const mutual = (): TlsOptions => ({ ca: world.authority.cert, requestCert: true, rejectUnauthorized: true });

/** A client that trusts our authority. */
function trusting(address: RunnerAddress, tls: RunnerTls = {}, more: RunnerClientOptions = {}): RemoteRunner {
  return openHandle([address], { tls: { ca: [world.authority.cert], ...tls }, ...more });
}

function as(
  address: RunnerAddress,
  change: Partial<Exclude<RunnerAddress, { kind: 'unix' }>>,
): RunnerAddress {
  if (address.kind === 'unix') throw new Error('the address has no port');
  return { ...address, ...change };
}

function refusalOf(handle: RemoteRunner): Promise<unknown> {
  return errorOf(handle.run('a', [], {}));
}

function saying(words: RegExp, code = 'tls_invalid') {
  return { code, message: expect.stringMatching(words) };
}

describe('over TLS', () => {
  test('calls are served, large ones too', async () => {
    const runner = await startRunner({
      address: { kind: 'tcps', host: '127.0.0.1', port: 0 },
      tls: world.server,
      onCall: (call) => call.respond(call.args[0] ?? null),
    });
    const bytes = new Uint8Array(5_000_000).fill(7);
    const answer = await trusting(runner.address).run('echo', [bytes], {});
    expect(Buffer.compare(Buffer.from(answer as Uint8Array), bytes)).toBe(0);
  });

  test('a client shows its certificate to a runner that wants one', async () => {
    const runner = await startTls(mutual());
    expect(await trusting(runner.address, world.friend).run('a', [], {})).toBe('served');
  });

  test('the name in the map is what the certificate must have, whatever it is resolved to', async () => {
    const runner = await startTls();
    const named = as(runner.address, { host: 'runner.test' });
    const resolve = () => Promise.resolve(['127.0.0.1']);
    expect(await trusting(named, {}, { resolve }).run('a', [], {})).toBe('served');
    expect(await trusting(runner.address, { serverName: 'runner.test' }).run('a', [], {})).toBe('served');
  });

  test('a connection that is lost comes back', async () => {
    const runner = await startTls();
    const handle = trusting(runner.address);
    await handle.run('a', [], {});
    runner.connections[0]?.destroy();
    expect(await handle.run('a', [], { idempotent: true })).toBe('served');
  });
});

describe('a runner is refused', () => {
  test('whose certificate is of an authority that is not trusted', async () => {
    const runner = await startTls();
    const words = /authority that is not trusted; name the authority with --runner-ssl-ca-certs$/;
    expect(await refusalOf(openHandle([runner.address]))).toMatchObject(saying(words));
    expect(await refusalOf(trusting(runner.address, { ca: [world.foreign.cert] }))).toMatchObject(
      saying(words),
    );
  });

  test('whose certificate is for another host', async () => {
    const runner = await startTls();
    const resolve = () => Promise.resolve(['127.0.0.1']);
    const named = as(runner.address, { host: 'other.test' });
    expect(await refusalOf(trusting(named, {}, { resolve }))).toMatchObject(
      saying(/certificate is for another host .*--runner-ssl-server-name/),
    );
    expect(await refusalOf(trusting(runner.address, { serverName: 'other.test' }))).toMatchObject(
      saying(/certificate is for another host/),
    );
  });

  test('whose certificate has expired', async () => {
    const old = await createCertificate(world.authority, { notAfter: new Date(86_400_000) });
    const runner = await startTls(old);
    expect(await refusalOf(trusting(runner.address))).toMatchObject(saying(/certificate has expired/));
  });

  test('that speaks TLS 1.1 only', async () => {
    const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' } as const;
    const runner = await startTls(old);
    expect(await refusalOf(trusting(runner.address))).toMatchObject(saying(/no version of TLS from 1.2 on/));
  });

  test('that speaks no TLS', async () => {
    const runner = await startRunner({
      family: 'tcp',
      onSocket: (socket) => socket.end('HTTP/1.1 400 Bad\r\n\r\n'),
    });
    expect(await refusalOf(trusting(as(runner.address, { kind: 'tcps' })))).toMatchObject(
      saying(/does not speak TLS: write tcp:\/\/ instead of tcps:\/\//, 'runner_map_invalid'),
    );
  });
});

describe('a runner refuses', () => {
  test('a client without certificate, when it wants one', async () => {
    const runner = await startTls(mutual());
    expect(await refusalOf(trusting(runner.address))).toMatchObject(saying(/wants a client certificate/));
    const older = await startTls({ ...mutual(), maxVersion: 'TLSv1.2' });
    expect(await refusalOf(trusting(older.address))).toMatchObject(saying(/may want a client certificate/));
  });

  test('a client with a certificate of another authority', async () => {
    const runner = await startTls(mutual());
    expect(await refusalOf(trusting(runner.address, world.stranger))).toMatchObject(
      saying(/closed the connection before its hello: it may not trust .* the client certificate/),
    );
  });

  test('such a client before the handshake is over, as TLS 1.2 does', async () => {
    const runner = await startTls({ ...mutual(), maxVersion: 'TLSv1.2' });
    const handle = trusting(runner.address, world.stranger, { connectTimeoutMs: 300 });
    expect(await refusalOf(handle)).toMatchObject(
      saying(/in the TLS handshake; it may not trust .* the client certificate/, 'unavailable'),
    );
  });

  test('a client that speaks plain text, and says so in an alert', async () => {
    const alert = Buffer.from([0x15, 3, 1, 0, 2, 2, 70]);
    const runner = await startRunner({ family: 'tcp', onSocket: (socket) => socket.end(alert) });
    expect(await refusalOf(openHandle([runner.address]))).toMatchObject(
      saying(/it speaks TLS: write tcps:\/\/ instead of tcp:\/\//, 'runner_map_invalid'),
    );
  });
});

test('certificates that cannot be used are named at once', () => {
  const address = { kind: 'tcps', host: '127.0.0.1', port: 1 } as const;
  expect(() => connectRunner('matmul', [address], { tls: { cert: 'nonsense', key: 'nonsense' } })).toThrow(
    expect.objectContaining({ code: 'tls_invalid', message: expect.stringContaining('cannot be used') }),
  );
});
