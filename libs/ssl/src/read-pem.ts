import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { ServeError } from '@bentots/errors';

/** A private key's file, and how to open it. */
export interface KeySource {
  readonly keyfile: string;
  readonly keyfilePassword: string | undefined;
  /** Option that gives the password, for messages. */
  readonly passwordFlag: string;
}

/** A certificate with its chain and its key as PEM texts, the key decrypted. */
export interface PemPair {
  readonly cert: string;
  readonly key: string;
}

/** Reads both files and proves that they belong together. @throws ServeError `tls_invalid` */
export async function readPair(certfile: string, source: KeySource): Promise<PemPair> {
  const chain = await readCertificates('certificate', certfile);
  const [leaf] = chain;
  const key = await readKey(source);
  if (leaf === undefined || !leaf.checkPrivateKey(key)) {
    throw refuse(`private key '${source.keyfile}' does not belong to certificate '${certfile}'`);
  }
  return {
    cert: chain.map((certificate) => certificate.toString()).join(''),
    key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

async function readText(what: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw refuse(`${what} '${file}' cannot be read: ${reasonOf(error)}`, error);
  }
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** The certificates of a PEM file, at least one. @throws ServeError `tls_invalid` with `what`, the file and the reason */
export async function readCertificates(what: string, file: string): Promise<X509Certificate[]> {
  const text = await readText(what, file);
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

/** The private key of a PEM file, decrypted. @throws ServeError `tls_invalid` with the file and the reason */
async function readKey({ keyfile, keyfilePassword, passwordFlag }: KeySource): Promise<KeyObject> {
  const text = await readText('private key', keyfile);
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) {
    throw refuse(`private key '${keyfile}' is no PEM private key`);
  }
  const isEncrypted = /BEGIN ENCRYPTED PRIVATE KEY|Proc-Type: 4,ENCRYPTED/.test(text);
  if (isEncrypted && keyfilePassword === undefined) {
    throw refuse(`private key '${keyfile}' is encrypted: give its password with ${passwordFlag}`);
  }
  try {
    return createPrivateKey({ key: text, format: 'pem', passphrase: keyfilePassword });
  } catch (error) {
    const reason = isEncrypted ? 'the password does not open it' : `it is damaged: ${reasonOf(error)}`;
    throw refuse(`private key '${keyfile}' cannot be used: ${reason}`, error);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
};

/** Why a file or an option cannot be used, in words. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? String(error.code) : '';
  return REASONS[code] ?? error.message;
}

/** The error of files that cannot be used. */
export function refuse(message: string, cause?: unknown): ServeError {
  return new ServeError('tls_invalid', message, cause === undefined ? {} : { cause });
}
