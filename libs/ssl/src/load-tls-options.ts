import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { ServeError } from '@bentots/errors';
import type { SslSettings } from './compile-ssl-options.js';

/** What a TLS server of Node takes; plain data, also for servers that want the PEM texts alone. */
export interface LoadedTls {
  /** PEM: the certificate, then its chain. */
  readonly cert: string;
  /** PEM, PKCS #8, decrypted: no password is needed with it. */
  readonly key: string;
  /** PEM, one each: the authorities of the clients. */
  readonly ca?: string[];
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  readonly ciphers: string;
  readonly honorCipherOrder: true;
  readonly requestCert: boolean;
  readonly rejectUnauthorized: boolean;
}

/**
 * Reads the files and proves that they fit. Throws `tls_invalid` with the file and the reason: missing, unreadable,
 * not PEM, not a certificate or key, wrong or missing password, key of another certificate; and `invalid_option` for
 * ciphers that OpenSSL does not know.
 *
 * With `clientCertificate: 'optional'` the result lets every client in: use {@link guardClientCertificates} too.
 */
export async function loadTlsOptions(settings: SslSettings): Promise<LoadedTls> {
  const { certfile, keyfile, caCerts, clientCertificate, minVersion, ciphers } = settings;
  const chain = parseCertificates('certificate', certfile, await readText('certificate', certfile));
  const [leaf] = chain;
  const key = parseKey(settings, await readText('private key', keyfile));
  if (leaf === undefined || !leaf.checkPrivateKey(key)) {
    throw refuse(`private key '${keyfile}' does not belong to certificate '${certfile}'`);
  }
  const authorities =
    caCerts === undefined
      ? undefined
      : parseCertificates('CA file', caCerts, await readText('CA file', caCerts));
  const loaded: LoadedTls = {
    cert: chain.map((certificate) => certificate.toString()).join(''),
    key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    ...(authorities && { ca: authorities.map((authority) => authority.toString()) }),
    minVersion,
    ciphers,
    honorCipherOrder: true,
    requestCert: clientCertificate !== 'none',
    rejectUnauthorized: clientCertificate === 'required',
  };
  checkContext(loaded, settings);
  return loaded;
}

async function readText(what: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw refuse(`${what} '${file}' cannot be read: ${reasonOf(error)}`, error);
  }
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

function parseCertificates(what: string, file: string, text: string): X509Certificate[] {
  const blocks = text.match(CERTIFICATE) ?? [];
  if (blocks.length === 0) {
    const other = /-----BEGIN ([A-Z0-9 ]+)-----/.exec(text)?.[1];
    const found = other === undefined ? 'it is no PEM file' : `it holds a ${other.toLowerCase()}`;
    throw refuse(`${what} '${file}' has no certificate: ${found}`);
  }
  return blocks.map((block, index) => {
    try {
      return new X509Certificate(block);
    } catch (error) {
      throw refuse(`${what} '${file}': certificate ${index + 1} is damaged: ${reasonOf(error)}`, error);
    }
  });
}

function parseKey({ keyfile, keyfilePassword }: SslSettings, text: string): KeyObject {
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) {
    throw refuse(`private key '${keyfile}' is no PEM private key`);
  }
  const isEncrypted = /BEGIN ENCRYPTED PRIVATE KEY|Proc-Type: 4,ENCRYPTED/.test(text);
  if (isEncrypted && keyfilePassword === undefined) {
    throw refuse(`private key '${keyfile}' is encrypted: give its password with --ssl-keyfile-password`);
  }
  try {
    return createPrivateKey({ key: text, format: 'pem', passphrase: keyfilePassword });
  } catch (error) {
    const reason = isEncrypted ? 'the password does not open it' : `it is damaged: ${reasonOf(error)}`;
    throw refuse(`private key '${keyfile}' cannot be used: ${reason}`, error);
  }
}

function checkContext(loaded: LoadedTls, settings: SslSettings): void {
  try {
    createSecureContext({ ciphers: settings.ciphers, minVersion: settings.minVersion });
  } catch (error) {
    const message = `--ssl-ciphers '${settings.ciphers}' cannot be used: ${reasonOf(error)}`;
    throw new ServeError('invalid_option', message, { cause: error });
  }
  try {
    createSecureContext(loaded);
  } catch (error) {
    throw refuse(`certificate '${settings.certfile}' cannot be used: ${reasonOf(error)}`, error);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
};

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? String(error.code) : '';
  return REASONS[code] ?? error.message;
}

function refuse(message: string, cause?: unknown): ServeError {
  return new ServeError('tls_invalid', message, cause === undefined ? {} : { cause });
}
