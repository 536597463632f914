import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from 'selfsigned';

/** A certificate for localhost that is its own authority. */
export interface Certificate {
  /** What clients trust (PEM). */
  readonly ca: string;
  /** Flags of a command that serves with it. */
  readonly flags: readonly string[];
  remove(): Promise<void>;
}

/** Makes a certificate and keeps it in files of its own. */
export async function createCertificate(): Promise<Certificate> {
  const made = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
  });
  const folder = await mkdtemp(join(tmpdir(), 'bench-cert-'));
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  await writeFile(cert, made.cert);
  await writeFile(key, made.private);
  return {
    ca: await readFile(cert, 'utf8'),
    flags: ['--ssl-certfile', cert, '--ssl-keyfile', key],
    remove: () => rm(folder, { recursive: true }),
  };
}
