import { ServeError } from '@bentots/errors';

/** TLS towards runners, as the user says it; paths as given, relative to the current directory. */
export interface ClientSslOptions {
  /** PEM file: the authorities of the runners' certificates. @default those that Node comes with */
  readonly caCerts?: string;
  /** PEM file: this side's certificate, for runners that want one, then its chain. */
  readonly certfile?: string;
  /** PEM file: the certificate's private key. */
  readonly keyfile?: string;
  /** Password of an encrypted key. */
  readonly keyfilePassword?: string;
  /** The name that the runners' certificates are checked against. @default the host in the runner map */
  readonly serverName?: string;
}

/** Checked settings: plain data, files not read yet. */
export interface ClientSslSettings {
  readonly caCerts: string | undefined;
  /** Certificate and key: both or none. */
  readonly pair: { readonly certfile: string; readonly keyfile: string } | undefined;
  readonly keyfilePassword: string | undefined;
  readonly serverName: string | undefined;
}

/**
 * Checks that the options make sense together; undefined when nothing is set.
 *
 * @throws ServeError `invalid_option` for a certificate without key, a key without certificate, a password without either
 */
export function compileClientSsl(options: ClientSslOptions | undefined): ClientSslSettings | undefined {
  const { caCerts, certfile, keyfile, keyfilePassword, serverName } = options ?? {};
  const given = [caCerts, certfile, keyfile, keyfilePassword, serverName];
  if (given.every((value) => value === undefined)) return undefined;
  if (certfile !== undefined && keyfile === undefined) {
    throw invalid(`--runner-ssl-certfile '${certfile}' given without --runner-ssl-keyfile`);
  }
  if (certfile === undefined && keyfile !== undefined) {
    throw invalid(`--runner-ssl-keyfile '${keyfile}' given without --runner-ssl-certfile`);
  }
  if (keyfile === undefined && keyfilePassword !== undefined) {
    throw invalid('--runner-ssl-keyfile-password given without --runner-ssl-keyfile');
  }
  const pair = certfile === undefined || keyfile === undefined ? undefined : { certfile, keyfile };
  return Object.freeze({ caCerts, pair, keyfilePassword, serverName });
}

function invalid(message: string): ServeError {
  return new ServeError('invalid_option', message);
}
