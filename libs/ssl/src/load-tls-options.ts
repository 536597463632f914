import { createSecureContext } from 'node:tls';
import { ServeError } from '@bentots/errors';
import type { SslSettings } from './compile-ssl-options.js';
import { readCertificates, readPair, reasonOf, refuse } from './read-pem.js';

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
  const { certfile, caCerts, clientCertificate, minVersion, ciphers } = settings;
  const pair = await readPair(certfile, { ...settings, passwordFlag: '--ssl-keyfile-password' });
  const authorities = caCerts === undefined ? undefined : await readCertificates('CA file', caCerts);
  const loaded: LoadedTls = {
    ...pair,
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
