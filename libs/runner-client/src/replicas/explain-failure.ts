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

/** What the other side, or OpenSSL about it, says: by the words of the reason, which versions of OpenSSL share. */
const HANDSHAKE: readonly (readonly [RegExp, ErrorCode, string])[] = [
  [
    /wrong version number|packet length too long|http request|bad record type|unexpected message/,
    'runner_map_invalid',
    'it does not speak TLS: write tcp:// instead of tcps:// in the runner map, or start it with --ssl-certfile',
  ],
  [
    /alert certificate required/,
    'tls_invalid',
    'it wants a client certificate; give one with --runner-ssl-certfile and --runner-ssl-keyfile',
  ],
  [
    /alert handshake failure/,
    'tls_invalid',
    'no agreement about TLS; it may want a client certificate (--runner-ssl-certfile), or other ciphers',
  ],
  [/alert protocol version|unsupported protocol/, 'tls_invalid', 'it speaks no version of TLS from 1.2 on'],
  [/alert unknown ca/, 'tls_invalid', 'it does not trust the authority of the client certificate'],
  [/alert (bad certificate|certificate \w+)/, 'tls_invalid', 'it refuses the client certificate'],
];

/** What is to be said of an attempt that failed. */
export interface FailedAttempt {
  /** What the socket said; absent: the other side closed it, without a word. */
  readonly cause: unknown;
  readonly isTls: boolean;
  /** Whether the connection stood: over TLS, whether the handshake was over. */
  readonly isConnected: boolean;
}

/** Names what went wrong, and what to do. */
export function explainFailure({ cause, isTls, isConnected }: FailedAttempt): Explanation {
  if (!(cause instanceof Error)) return explainSilence(isTls && isConnected);
  const code = 'code' in cause ? String(cause.code) : '';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const words = `its certificate is for another host (${cause.message}); write that name in the runner map, or give it with --runner-ssl-server-name`;
    return { code: 'tls_invalid', words };
  }
  const certificate = CERTIFICATE[code];
  if (certificate !== undefined) return { code: 'tls_invalid', words: certificate };
  if (isTls && code === 'ECONNRESET' && !isConnected) {
    return { code: 'unavailable', words: `it closed the connection in the TLS handshake; ${MAY_REFUSE}` };
  }
  const reason = opensslReason(code, cause.message);
  const [, handshakeCode, words] = HANDSHAKE.find(([pattern]) => pattern.test(reason)) ?? [];
  if (handshakeCode !== undefined && words !== undefined) return { code: handshakeCode, words };
  return { code: 'unavailable', words: NETWORK[code] ?? cause.message };
}

const MAY_REFUSE = 'it may not trust the authority of the client certificate (--runner-ssl-certfile)';

/** After a handshake nobody closes without a word but who refuses the certificate: TLS 1.3 tells only then. */
function explainSilence(isAfterHandshake: boolean): Explanation {
  const words = 'it closed the connection before its hello';
  return isAfterHandshake
    ? { code: 'tls_invalid', words: `${words}: ${MAY_REFUSE}` }
    : { code: 'unavailable', words };
}

/** `tlsv13 alert certificate required`, wherever Node puts it; empty when it is no error of OpenSSL. */
function opensslReason(code: string, message: string): string {
  const inMessage = /:SSL routines:[^:]*:([^:]+):/.exec(message)?.[1] ?? '';
  const inCode = code.startsWith('ERR_SSL_') ? code.slice('ERR_SSL_'.length).replaceAll('_', ' ') : '';
  return `${inMessage} ${inCode}`.toLowerCase();
}
