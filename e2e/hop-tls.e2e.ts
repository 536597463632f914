import { readFileSync } from 'node:fs';
import https from 'node:https';
import { connect } from 'node:tls';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { connectGrpc, postJson } from './src/clients.js';
import { createAuthority, createSigned, type Pair } from './src/certificates.js';
import { waitFor } from './src/processes.js';
import { removeFolders, ServiceFolder } from './src/service-folder.js';
import { type Ready, startServer, stopAll } from './src/topology.js';

afterEach(stopAll);
afterEach(removeFolders);

const bento = 'examples/linear';

interface World {
  readonly authority: Pair;
  readonly folder: ServiceFolder;
}

let world: World;

beforeEach(async () => {
  const authority = await createAuthority('ours');
  const [runner, edge] = [await createSigned(authority, 'runner'), await createSigned(authority, 'edge')];
  const stranger = await createSigned(await createAuthority('foreign'), 'stranger');
  const folder = await ServiceFolder.create({
    'ca.pem': authority.cert,
    'runner.pem': runner.cert,
    'runner.key': runner.key,
    'edge.pem': edge.cert,
    'edge.key': edge.key,
    'stranger.pem': stranger.cert,
    'stranger.key': stranger.key,
  });
  world = { authority, folder };
});

/** A runner server that lets in only who has a certificate of our authority. */
function startRunner(): Promise<Ready> {
  const file = (name: string): string => world.folder.file(name);
  const tls = ['--ssl-certfile', file('runner.pem'), '--ssl-keyfile', file('runner.key')];
  const mutual = ['--ssl-ca-certs', file('ca.pem')];
  return startServer(['start-runner-server', bento, '--runner-name', 'matmul', ...tls, ...mutual]);
}

function clientFlags(url: string, name?: string): string[] {
  const file = (extension: string): string => world.folder.file(extension);
  const own =
    name === undefined
      ? []
      : ['--runner-ssl-certfile', file(`${name}.pem`), '--runner-ssl-keyfile', file(`${name}.key`)];
  return ['--remote-runner', `matmul=${url}`, '--runner-ssl-ca-certs', file('ca.pem'), ...own];
}

function startHttp(...flags: string[]): Promise<Ready> {
  return startServer(['start-http-server', bento, '--port', '0', '--api-workers', '1', ...flags]);
}

/** What the runner's port answers over HTTPS to who has a certificate. */
function getDoor(url: string, path: string): Promise<number> {
  const read = (name: string): Buffer => readFileSync(world.folder.file(name));
  const options = { ca: read('ca.pem'), cert: read('edge.pem'), key: read('edge.key'), agent: false };
  return new Promise((resolve, reject) => {
    const request = https.get(`${url.replace('tcps:', 'https:')}${path}`, options, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    request.on('error', reject);
  });
}

/** The serial number of the certificate that a port shows. */
function serialOf(url: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().serialNumber);
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

test('both edges reach a runner over mutual TLS, whose probes are answered over it, too', async () => {
  const { url } = await startRunner();
  expect(url).toMatch(/^tcps:\/\/127\.0\.0\.1:\d+$/);
  const http = await startHttp(...clientFlags(url, 'edge'));
  expect(await postJson(`${http.url}/predict`, [1, 2, 3, 4])).toEqual({
    status: 200,
    body: { result: [1, 4, 9, 22] },
  });

  const flags = ['--port', '0', '--metrics-port', '0', '--api-workers', '1', ...clientFlags(url, 'edge')];
  const edge = await startServer(['start-grpc-server', bento, ...flags]);
  const grpc = connectGrpc(edge.url);
  expect(await grpc.call('Call', { api_name: 'upper', text: { value: 'a' } })).toMatchObject({
    text: { value: 'A' },
  });
  grpc.close();
  expect([await getDoor(url, '/readyz'), await getDoor(url, '/metrics')]).toEqual([200, 200]);
});

test.each([
  ['without a certificate', undefined, 'it wants a client certificate', 'it shows no client certificate'],
  [
    'with one of another authority',
    'stranger',
    'it may not trust the authority',
    'its certificate is refused',
  ],
])('an edge %s is let not in, and both logs say why', async (_, name, said, told) => {
  const runner = await startRunner();
  const http = await startHttp(...clientFlags(runner.url, name));
  expect((await postJson(`${http.url}/predict`, [1, 2, 3, 4])).status).toBe(500);
  await http.server.printed(new RegExp(said));
  await runner.server.printed(new RegExp(told));
});

test('a map that says tcp:// for a TLS port is told what to write', async () => {
  const { url, server } = await startRunner();
  const http = await startHttp('--remote-runner', `matmul=${url.replace('tcps', 'tcp')}`);
  expect((await postJson(`${http.url}/predict`, [1, 2, 3, 4])).status).toBe(500);
  await http.server.printed(/it speaks TLS: write tcps:\/\/ instead of tcp:\/\/ in the runner map/);
  await server.printed(/is not let in: it speaks plain text/);
});

test('SIGHUP brings a new certificate, and no request is lost', async () => {
  const { url, server } = await startRunner();
  const http = await startHttp(...clientFlags(url, 'edge'));
  const predict = async (): Promise<number> => (await postJson(`${http.url}/predict`, [1, 2, 3, 4])).status;
  expect(await predict()).toBe(200);
  const before = await serialOf(url);
  const next = await createSigned(world.authority, 'runner');
  await world.folder.write('runner.pem', next.cert);
  await world.folder.write('runner.key', next.key);
  server.signal('SIGHUP');
  const statuses = new Set<number>();
  await waitFor('the new certificate', async () => {
    statuses.add(await predict());
    return (await serialOf(url).catch(() => before)) !== before;
  });
  statuses.add(await predict());
  expect([...statuses]).toEqual([200]);
});
