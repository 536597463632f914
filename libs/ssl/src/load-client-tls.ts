import type { ClientSslSettings } from './compile-client-ssl.js';
import { DEFAULT_CIPHERS } from './compile-ssl-options.js';
import { type PemPair, readCertificates, readPair } from './read-pem.js';

/** What connections to runners are made with: PEM texts. */
export interface LoadedClientTls extends Partial<PemPair> {
  /** The authorities that are trusted; absent: those that Node comes with. */
  readonly ca?: readonly string[];
  /** The name that certificates are checked against; absent: the host in the runner map. */
  readonly serverName?: string;
  readonly minVersion: 'TLSv1.2';
  readonly ciphers: string;
}

/** Reads the files and proves that they fit. @throws ServeError `tls_invalid` with the file and the reason */
export async function loadClientTls(settings: ClientSslSettings): Promise<LoadedClientTls> {
  const { caCerts, pair, keyfilePassword, serverName } = settings;
  const passwordFlag = '--runner-ssl-keyfile-password';
  const authorities = caCerts === undefined ? undefined : await readCertificates('CA file', caCerts);
  const own =
    pair && (await readPair(pair.certfile, { keyfile: pair.keyfile, keyfilePassword, passwordFlag }));
  return {
    ...own,
    ...(authorities && { ca: authorities.map((authority) => authority.toString()) }),
    ...(serverName !== undefined && { serverName }),
    minVersion: 'TLSv1.2',
    ciphers: DEFAULT_CIPHERS,
  };
}
