import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json, Service } from '@bentots/service';
import { compileSslOptions, loadTlsOptions, type SslOptions } from '@bentots/ssl';
import { generate } from 'selfsigned';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startEdge, until } from '../test/edge.js';

const made: { folder?: string; cert?: string; key?: string } = {};

beforeAll(async () => {
  const altNames = [{ type: 7, ip: '127.0.0.1' } as const];
  const extensions = [{ name: 'subjectAltName', altNames } as const];
  const pair = await generate([{ name: 'commonName', value: 'localhost' }], { keyType: 'ec', extensions });
  const folder = await mkdtemp(join(tmpdir(), 'bentots-http-'));
  await writeFile(join(folder, 'cert.pem'), pair.cert);
  await writeFile(join(folder, 'key.pem'), pair.private);
  Object.assign(made, { folder, cert: pair.cert, key: pair.private });
});
afterAll(() => rm(made.folder ?? '', { recursive: true, force: true }));

async function loadTls(more: SslOptions = {}) {
  const folder = made.folder ?? '';
  const files = { certfile: join(folder, 'cert.pem'), keyfile: join(folder, 'key.pem') };
  const settings = compileSslOptions({ ...files, ...more });
  if (settings === undefined) throw new Error('no settings');
  return { settings, loaded: await loadTlsOptions(settings) };
}

/** The status of a GET, or why there was none. */
function get(url: string, options: https.RequestOptions = {}): Promise<number | string> {
  return new Promise((resolve) => {
    const request = https.get(url, { ca: made.cert, agent: false, ...options }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    request.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

const service = () => new Service('demo').api('echo', { input: json(), output: json() }, (value) => value);

describe('over TLS', () => {
  test('the edge answers, and its access line says https', async () => {
    const edge = await startEdge(service(), { tls: await loadTls() });
    expect(await get(`${edge.url}/livez`)).toBe(200);
    await until(() => edge.lines.length === 1);
    expect(edge.lines[0]).toContain('(scheme=https,');
  });

  test('a client that speaks plain HTTP gets no answer', async () => {
    const edge = await startEdge(service(), { tls: await loadTls() });
    await expect(fetch(edge.url.replace('https', 'http') + '/livez')).rejects.toThrow();
  });

  test.each(['required', 'optional'] as const)('client certificates are %s', async (certReqs) => {
    const caCerts = join(made.folder ?? '', 'cert.pem');
    const edge = await startEdge(service(), { tls: await loadTls({ certReqs, caCerts }) });
    const stranger = await generate([{ name: 'commonName', value: 'stranger' }], { keyType: 'ec' });
    expect(await get(`${edge.url}/livez`, { cert: made.cert, key: made.key })).toBe(200);
    expect(await get(`${edge.url}/livez`, { cert: stranger.cert, key: stranger.private })).not.toBe(200);
    const nobody = await get(`${edge.url}/livez`);
    if (certReqs === 'required') expect(nobody).not.toBe(200);
    else expect(nobody).toBe(200);
  });
});
