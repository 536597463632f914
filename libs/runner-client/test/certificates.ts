import { generate } from 'selfsigned';

/** A certificate and its key as PEM texts. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

/** An authority of the tests' own. */
export async function createAuthority(name: string): Promise<Pair> {
  const made = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, digitalSignature: true, critical: true },
    ],
  });
  return { cert: made.cert, key: made.private };
}

/** What a certificate is for. */
export interface CertificateFacts {
  readonly ips?: readonly string[];
  readonly names?: readonly string[];
  readonly notAfter?: Date;
}

/** A certificate of `authority`. */
export async function createCertificate(authority: Pair, facts: CertificateFacts = {}): Promise<Pair> {
  const { ips = ['127.0.0.1'], names = [], notAfter } = facts;
  const made = await generate([{ name: 'commonName', value: 'runner' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    ca: authority,
    ...(notAfter && { notBeforeDate: new Date(0), notAfterDate: notAfter }),
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          ...ips.map((ip) => ({ type: 7 as const, ip })),
          ...names.map((value) => ({ type: 2 as const, value })),
        ],
      },
    ],
  });
  return { cert: made.cert, key: made.private };
}
