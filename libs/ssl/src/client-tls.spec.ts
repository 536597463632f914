import { writeFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAuthority, createCertificate, createFolder } from '../test/certificates.js';
import { type ClientSslOptions, compileClientSsl } from './compile-client-ssl.js';
import { loadClientTls } from './load-client-tls.js';

const state: { folder?: Awaited<ReturnType<typeof createFolder>> } = {};

beforeAll(async () => {
  const authority = await createAuthority('test authority');
  const [own, locked] = await Promise.all([
    createCertificate(authority),
    createCertificate(authority, { passphrase: 'open sesame' }),
  ]);
  state.folder = await createFolder({
    'cert.pem': own.cert,
    'key.pem': own.key,
    'locked.pem': locked.cert,
    'locked.key': locked.key,
    'ca.pem': `${authority.cert}\n${authority.cert}`,
  });
});
afterAll(() => state.folder?.remove());

function path(name: string): string {
  return state.folder?.path(name) ?? name;
}

async function load(options: ClientSslOptions) {
  const settings = compileClientSsl(options);
  if (settings === undefined) throw new Error('no settings');
  return loadClientTls(settings);
}

describe('options that make no sense together', () => {
  test.each<[ClientSslOptions, string]>([
    [{ certfile: 'c.pem' }, "--runner-ssl-certfile 'c.pem' given without --runner-ssl-keyfile"],
    [{ keyfile: 'k.pem' }, "--runner-ssl-keyfile 'k.pem' given without --runner-ssl-certfile"],
    [{ keyfilePassword: 'p' }, '--runner-ssl-keyfile-password given without --runner-ssl-keyfile'],
  ])('%o are refused', (options, message) => {
    expect(() => compileClientSsl(options)).toThrow(
      expect.objectContaining({ code: 'invalid_option', message }),
    );
  });

  test('nothing said is nothing set', () => {
    expect([compileClientSsl(undefined), compileClientSsl({})]).toEqual([undefined, undefined]);
  });
});

describe('loading', () => {
  test('gives what a client context takes, the key decrypted', async () => {
    const loaded = await load({
      caCerts: path('ca.pem'),
      certfile: path('locked.pem'),
      keyfile: path('locked.key'),
      keyfilePassword: 'open sesame',
      serverName: 'runner.test',
    });
    expect(loaded).toMatchObject({ minVersion: 'TLSv1.2', serverName: 'runner.test' });
    expect(loaded.ca).toHaveLength(2);
    const { ca, cert, key, ciphers } = loaded;
    createSecureContext({ ca: [...(ca ?? [])], ...(cert && { cert }), ...(key && { key }), ciphers });
  });

  test('of authorities alone shows no certificate', async () => {
    expect(Object.keys(await load({ caCerts: path('ca.pem') }))).not.toContain('cert');
  });

  test('names the file that cannot be used', async () => {
    await expect(load({ caCerts: '/no/ca.pem' })).rejects.toMatchObject({
      code: 'tls_invalid',
      message: "CA file '/no/ca.pem' cannot be read: no such file",
    });
    await expect(load({ certfile: path('cert.pem'), keyfile: path('locked.key') })).rejects.toThrow(
      'give its password with --runner-ssl-keyfile-password',
    );
    await writeFile(path('other.key'), '');
    await expect(load({ certfile: path('cert.pem'), keyfile: path('other.key') })).rejects.toThrow(
      'is no PEM private key',
    );
  });
});
