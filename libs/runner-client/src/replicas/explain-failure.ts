import type { ErrorCode } from '@bentots/errors';

/** What went wrong with a connection, for the one who has to put it right. */
export interface Explanation {
  readonly code: ErrorCode;
  readonly words: string;
}

/** What the kernel and the resolver say. */
const NETWORK: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ENOENT: 'there is no such socket file',
  EACCES: 'permission denied',
  ENOTFOUND: 'the host name is unknown',
  EAI_AGAIN: 'the host name cannot be resolved now',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  ETIMEDOUT: 'the host does not answer',
  ECONNRESET: 'the connection was reset',
};

const UNTRUSTED =
  'its certificate is of an authority that is not trusted; name the authority with --runner-ssl-ca-certs';

/** What this side says of the runner's certificate. */
const CERTIFICATE: Readonly<Record<string, string>> = {
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  CERT_SIGNATURE_FAILURE: UNTRUSTED,
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  CERT_REVOKED: 'its certificate was revoked',
  INVALID_PURPOSE: 'its certificate is not for servers',
};

/** What the runner says of the certificate of this side. */
const CLIENT_CERTIFICATE: Readonly<Record<string, string>> = {
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    'it wants a client certificate; give one with --runner-ssl-certfile and --runner-ssl-keyfile',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: 'it does not trust the authority of the client certificate',
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: 'it refuses the client certificate',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: 'the client certificate has expired',
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE:
    'no agreement about TLS; it may want a client certificate (--runner-ssl-certfile) or another version',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'it speaks no version of TLS from 1.2 on',
};

/** What a plain-text answer looks like to TLS. */
const PLAIN_TEXT: ReadonlySet<string> = new Set([
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_SSL_PACKET_LENGTH_TOO_LONG',
  'ERR_SSL_HTTP_REQUEST',
  'ERR_SSL_UNEXPECTED_MESSAGE',
  'ERR_SSL_BAD_RECORD_TYPE',
]);

/** Names what an attempt to connect failed with, and what to do; without a cause the connection was closed early. */
export function explainFailure(cause: unknown): Explanation {
  if (!(cause instanceof Error)) {
    return { code: 'unavailable', words: 'it closed the connection before its hello' };
  }
  const code = 'code' in cause ? String(cause.code) : '';
  if (PLAIN_TEXT.has(code)) {
    const words =
      'it does not speak TLS: write tcp:// instead of tcps:// in the runner map, or start it with --ssl-certfile';
    return { code: 'runner_map_invalid', words };
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const words = `its certificate is for another host (${cause.message}); write that name in the runner map, or give it with --runner-ssl-server-name`;
    return { code: 'tls_invalid', words };
  }
  const certificate = CERTIFICATE[code] ?? CLIENT_CERTIFICATE[code];
  if (certificate !== undefined) return { code: 'tls_invalid', words: certificate };
  return { code: 'unavailable', words: NETWORK[code] ?? cause.message };
}
