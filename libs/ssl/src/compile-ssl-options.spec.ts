import { describe, expect, test } from 'vitest';
import { compileSslOptions, DEFAULT_CIPHERS, type SslOptions } from './compile-ssl-options.js';

const PAIR = { certfile: 'a.pem', keyfile: 'a.key' };

describe('ssl options', () => {
  test('that say nothing mean no TLS', () => {
    expect(compileSslOptions(undefined)).toBeUndefined();
    expect(compileSslOptions({})).toBeUndefined();
  });

  test('of a certificate and its key get safe defaults, frozen', () => {
    const settings = compileSslOptions(PAIR);
    expect(settings).toEqual({
      certfile: 'a.pem',
      keyfile: 'a.key',
      keyfilePassword: undefined,
      caCerts: undefined,
      clientCertificate: 'none',
      minVersion: 'TLSv1.2',
      ciphers: DEFAULT_CIPHERS,
    });
    expect(Object.isFrozen(settings)).toBe(true);
  });

  test('with authorities demand client certificates, unless they are made optional', () => {
    expect(compileSslOptions({ ...PAIR, caCerts: 'ca.pem' })?.clientCertificate).toBe('required');
    const optional = compileSslOptions({ ...PAIR, caCerts: 'ca.pem', certReqs: 'optional' });
    expect(optional?.clientCertificate).toBe('optional');
  });

  test('keep what is said', () => {
    const settings = compileSslOptions({ ...PAIR, version: 'TLSv1.3', ciphers: 'X', keyfilePassword: 'p' });
    expect(settings).toMatchObject({ minVersion: 'TLSv1.3', ciphers: 'X', keyfilePassword: 'p' });
  });

  const refusals: [string, SslOptions, string][] = [
    [
      'a certificate without key',
      { certfile: 'a.pem' },
      "--ssl-certfile 'a.pem' given without --ssl-keyfile",
    ],
    ['a key without certificate', { keyfile: 'a.key' }, '--ssl-keyfile given without --ssl-certfile'],
    ['a password alone', { keyfilePassword: 'secret' }, '--ssl-keyfile-password given without'],
    ['version and ciphers alone', { version: 'TLSv1.3', ciphers: 'X' }, '--ssl-version, --ssl-ciphers given'],
    ['required without authorities', { ...PAIR, certReqs: 'required' }, 'required needs --ssl-ca-certs'],
    ['optional without authorities', { ...PAIR, certReqs: 'optional' }, 'optional needs --ssl-ca-certs'],
    ['authorities that nobody asks', { ...PAIR, caCerts: 'c', certReqs: 'none' }, 'has no effect'],
  ];
  test.each(refusals)('%s are refused, and named', (_, options, text) => {
    expect(() => compileSslOptions(options)).toThrow(
      expect.objectContaining({ code: 'invalid_option', message: expect.stringContaining(text) }),
    );
  });

  test('never show a password in an error', () => {
    expect(() => compileSslOptions({ keyfilePassword: 'secret' })).not.toThrow('secret');
    expect(() => compileSslOptions({ keyfilePassword: 'secret' })).toThrow();
  });
});
