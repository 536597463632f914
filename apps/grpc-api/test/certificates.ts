import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from 'selfsigned';

/** A certificate with its key, as PEM texts. */
export interface Pair {
  readonly cert: string;
  readonly private: string;
}

/** An authority of its own, a server certificate for 127.0.0.1 and a client certificate by it. */
export interface Certificates {
  readonly ca: Pair;
  readonly server: Pair;
  readonly client: Pair;
  /** Of another authority. */
  readonly stranger: Pair;
  /** Paths of the server's files. */
  readonly files: { readonly certfile: string; readonly keyfile: string; readonly caCerts: string };
  remove(): Promise<void>;
}

export async function createCertificates(): Promise<Certificates> {
  const ca = await createAuthority('the authority');
  const other = await createAuthority('another authority');
  const server = await createPair('127.0.0.1', ca);
  const dir = await mkdtemp(join(tmpdir(), 'bentots-certs-'));
  const files = {
    certfile: join(dir, 'cert.pem'),
    keyfile: join(dir, 'key.pem'),
    caCerts: join(dir, 'ca.pem'),
  };
  await writeFile(files.certfile, server.cert);
  await writeFile(files.keyfile, server.private);
  await writeFile(files.caCerts, ca.cert);
  return {
    ca,
    server,
    client: await createPair('client', ca),
    stranger: await createPair('stranger', other),
    files,
    remove: () => rm(dir, { recursive: true }),
  };
}

function createAuthority(name: string): Promise<Pair> {
  return generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, digitalSignature: true, critical: true },
    ],
  });
}

function createPair(name: string, { cert, private: key }: Pair): Promise<Pair> {
  return generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    ca: { cert, key },
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] },
    ],
  });
}
