import { chmod, writeFile } from 'node:fs/promises';
import { createServer } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAuthority, createCertificate, createFolder } from '../test/certificates.js';
import { compileSslOptions, type SslOptions } from './compile-ssl-options.js';
import { loadTlsOptions } from './load-tls-options.js';

const state: { folder?: Awaited<ReturnType<typeof createFolder>> } = {};

beforeAll(async () => {
  const authority = await createAuthority('test authority');
  const [server, other, locked] = await Promise.all([
    createCertificate(authority),
    createCertificate(authority),
    createCertificate(authority, { passphrase: 'open sesame' }),
  ]);
  state.folder = await createFolder({
    'cert.pem': server.cert,
    'key.pem': server.key,
    'chain.pem': server.cert + authority.cert,
    'other.key': other.key,
    'locked.pem': locked.cert,
    'locked.key': locked.key,
    'ca.pem': `comment\n${authority.cert}\n${authority.cert}`,
    'note.txt': 'hello',
    'empty.pem': '',
    'damaged.pem': '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
    'damaged.key': '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n',
  });
});

afterAll(() => state.folder?.remove());

function path(name: string): string {
  return state.folder?.path(name) ?? name;
}

function load(options: SslOptions = {}) {
  const files = { certfile: path('cert.pem'), keyfile: path('key.pem') };
  const settings = compileSslOptions({ ...files, ...options });
  if (settings === undefined) throw new Error('no settings');
  return loadTlsOptions(settings);
}

describe('loading', () => {
  test('gives options that a TLS server takes', async () => {
    const loaded = await load({ certfile: path('chain.pem'), caCerts: path('ca.pem') });
    expect(loaded).toMatchObject({ minVersion: 'TLSv1.2', requestCert: true, rejectUnauthorized: true });
    expect(loaded.ca).toHaveLength(2);
    createServer(loaded);
  });

  test('asks no client for a certificate without authorities', async () => {
    expect(await load()).toMatchObject({ requestCert: false, rejectUnauthorized: false });
  });

  test('opens an encrypted key, so that nobody after it needs the password', async () => {
    const loaded = await load({
      certfile: path('locked.pem'),
      keyfile: path('locked.key'),
      keyfilePassword: 'open sesame',
    });
    expect(loaded.key).toMatch(/^-----BEGIN PRIVATE KEY-----/);
  });

  const refusals: [string, () => SslOptions, string, string][] = [
    ['a missing certificate', () => ({ certfile: path('none.pem') }), 'none.pem', 'no such file'],
    ['a missing key', () => ({ keyfile: path('none.key') }), 'none.key', 'no such file'],
    ['a missing CA file', () => ({ caCerts: path('none.ca') }), 'none.ca', 'no such file'],
    ['a directory', () => ({ certfile: path('.') }), 'bentots-ssl-', 'it is a directory'],
    ['a certificate that is no PEM', () => ({ certfile: path('note.txt') }), 'note.txt', 'no PEM file'],
    ['an empty certificate', () => ({ certfile: path('empty.pem') }), 'empty.pem', 'no PEM file'],
    ['a key for a certificate', () => ({ certfile: path('key.pem') }), 'key.pem', 'holds a private key'],
    ['a damaged certificate', () => ({ certfile: path('damaged.pem') }), 'damaged.pem', 'is damaged'],
    ['a certificate for a key', () => ({ keyfile: path('cert.pem') }), 'cert.pem', 'no PEM private key'],
    ['a damaged key', () => ({ keyfile: path('damaged.key') }), 'damaged.key', 'is damaged'],
    ['another certificate’s key', () => ({ keyfile: path('other.key') }), 'other.key', 'does not belong to'],
    [
      'an encrypted key without password',
      () => ({ keyfile: path('locked.key') }),
      'locked.key',
      'is encrypted',
    ],
    [
      'a wrong password',
      () => ({ keyfile: path('locked.key'), keyfilePassword: 'sesame' }),
      'locked.key',
      'the password does not open it',
    ],
    ['a CA file without certificate', () => ({ caCerts: path('note.txt') }), 'note.txt', 'no PEM file'],
    [
      'a damaged CA file',
      () => ({ caCerts: path('damaged.pem') }),
      'damaged.pem',
      'certificate 1 is damaged',
    ],
  ];
  test.each(refusals)('refuses %s, naming file and reason', async (_, options, file, reason) => {
    const loading = load(options());
    await expect(loading).rejects.toMatchObject({
      code: 'tls_invalid',
      message: expect.stringContaining(reason),
    });
    await expect(loading).rejects.toThrow(file);
  });

  test('refuses a file it may not read, and one that holds no key', async () => {
    await writeFile(path('secret.key'), 'x');
    await chmod(path('secret.key'), 0);
    // Root may read everything, and then finds that there is no key in it.
    const reason = process.getuid?.() === 0 ? 'PEM' : 'permission denied';
    const loading = load({ keyfile: path('secret.key') });
    await expect(loading).rejects.toMatchObject({
      code: 'tls_invalid',
      message: expect.stringContaining(reason),
    });
    await expect(loading).rejects.toThrow(path('secret.key'));
  });

  test('refuses ciphers that do not exist, as an option and not a file', async () => {
    await expect(load({ ciphers: 'NO-SUCH-CIPHER' })).rejects.toMatchObject({
      code: 'invalid_option',
      message: expect.stringContaining("--ssl-ciphers 'NO-SUCH-CIPHER'"),
    });
  });

  test('shows no password in an error', async () => {
    const wrong = load({ keyfile: path('locked.key'), keyfilePassword: 'not-this-one' });
    await expect(wrong).rejects.not.toThrow('not-this-one');
  });
});
