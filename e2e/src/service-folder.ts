import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from 'selfsigned';

const folders: string[] = [];

/** A folder for a service that a test changes; {@link removeFolders} takes it away. */
export class ServiceFolder {
  private constructor(readonly path: string) {}

  static async create(files: Readonly<Record<string, string>>): Promise<ServiceFolder> {
    const path = await mkdtemp(join(tmpdir(), 'bentots-e2e-'));
    folders.push(path);
    const folder = new ServiceFolder(path);
    const all = { 'package.json': '{"type":"module"}', ...files };
    for (const [name, text] of Object.entries(all)) await folder.write(name, text);
    return folder;
  }

  file(name: string): string {
    return join(this.path, name);
  }

  async write(name: string, text: string): Promise<void> {
    await writeFile(this.file(name), text);
  }
}

/** For `afterEach`. */
export async function removeFolders(): Promise<void> {
  await Promise.all(folders.splice(0).map((path) => rm(path, { recursive: true, force: true })));
}

/** A certificate for 127.0.0.1 that signs itself, and its key, as PEM texts. */
export async function createCertificate(name: string): Promise<{ cert: string; key: string }> {
  const made = await generate([{ name: 'commonName', value: name }], { keyType: 'ec', algorithm: 'sha256' });
  return { cert: made.cert, key: made.private };
}
