import { ServeError } from '@bentots/errors';

/** TLS as the user says it; paths as given, relative to the current directory. */
export interface SslOptions {
  /** PEM file: the server's certificate, then its chain. */
  readonly certfile?: string;
  /** PEM file: the certificate's private key. */
  readonly keyfile?: string;
  /** Password of an encrypted key. */
  readonly keyfilePassword?: string;
  /** PEM file: the authorities whose client certificates are accepted. */
  readonly caCerts?: string;
  /**
   * Whether clients show a certificate: never asked for, checked when shown, or demanded.
   * @default 'required' with `caCerts`, else 'none'
   */
  readonly certReqs?: 'none' | 'optional' | 'required';
  /** The lowest version that is spoken. @default 'TLSv1.2' */
  readonly version?: 'TLSv1.2' | 'TLSv1.3';
  /** OpenSSL names, separated by colons. @default {@link DEFAULT_CIPHERS} */
  readonly ciphers?: string;
}

/** Checked TLS settings: plain data, files not read yet. */
export interface SslSettings {
  readonly certfile: string;
  readonly keyfile: string;
  readonly keyfilePassword: string | undefined;
  readonly caCerts: string | undefined;
  readonly clientCertificate: 'none' | 'optional' | 'required';
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  readonly ciphers: string;
}

/** Only suites with forward secrecy that authenticate what they encrypt. */
export const DEFAULT_CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

/** How each option is called on the command line. */
const FLAGS: Readonly<Record<keyof SslOptions, string>> = {
  certfile: '--ssl-certfile',
  keyfile: '--ssl-keyfile',
  keyfilePassword: '--ssl-keyfile-password',
  caCerts: '--ssl-ca-certs',
  certReqs: '--ssl-cert-reqs',
  version: '--ssl-version',
  ciphers: '--ssl-ciphers',
};

/**
 * Checks that the options make sense together, and fills in defaults; undefined when nothing is set: no TLS.
 * Throws `invalid_option` for options that contradict each other or lack what they need: a setting that would have
 * no effect is refused, never ignored.
 */
export function compileSslOptions(options: SslOptions | undefined): SslSettings | undefined {
  const given = givenNames(options);
  if (options === undefined || given.length === 0) return undefined;
  const { certfile, keyfile, caCerts } = options;
  if (certfile === undefined) {
    const names = given.map((name) => FLAGS[name]).join(', ');
    throw invalid(`${names} given without --ssl-certfile: TLS needs a certificate and its key`);
  }
  if (keyfile === undefined) throw invalid(`--ssl-certfile '${certfile}' given without --ssl-keyfile`);
  const clientCertificate = planClientCertificate(options);
  return Object.freeze({
    certfile,
    keyfile,
    keyfilePassword: options.keyfilePassword,
    caCerts,
    clientCertificate,
    minVersion: options.version ?? 'TLSv1.2',
    ciphers: options.ciphers ?? DEFAULT_CIPHERS,
  });
}

function planClientCertificate({ caCerts, certReqs }: SslOptions): SslSettings['clientCertificate'] {
  if (certReqs !== undefined && certReqs !== 'none' && caCerts === undefined) {
    throw invalid(`--ssl-cert-reqs ${certReqs} needs --ssl-ca-certs: the authorities of the clients`);
  }
  if (certReqs === 'none' && caCerts !== undefined) {
    throw invalid(`--ssl-ca-certs '${caCerts}' has no effect with --ssl-cert-reqs none: leave one out`);
  }
  return certReqs ?? (caCerts === undefined ? 'none' : 'required');
}

function givenNames(options: SslOptions = {}): (keyof SslOptions)[] {
  const names: (keyof SslOptions)[] = [
    'certfile',
    'keyfile',
    'keyfilePassword',
    'caCerts',
    'certReqs',
    'version',
    'ciphers',
  ];
  return names.filter((name) => options[name] !== undefined);
}

function invalid(message: string): ServeError {
  return new ServeError('invalid_option', message);
}
