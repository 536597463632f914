import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterEach, expect, test } from 'vitest';
import { waitFor } from './src/processes.js';
import { createCertificate, removeFolders, ServiceFolder } from './src/service-folder.js';
import { runCommand, startServer, stopAll } from './src/topology.js';

afterEach(stopAll);
afterEach(removeFolders);

const KEPT = 16;

/** Open connections of each worker of the HTTP edge. */
async function connectionsOf(control: string): Promise<number[]> {
  const { output } = await runCommand(['ctl', '--tree', control, '--json', 'status']);
  const status = JSON.parse(output) as {
    watchers: { name: string; workers: { connections: number }[] }[];
  };
  const edge = status.watchers.find(({ name }) => name === 'http_api');
  return edge?.workers.map(({ connections }) => connections) ?? [];
}

test.each([
  ['HTTP', false],
  ['HTTPS', true],
])('few kept connections that come at once are spread evenly over the workers: %s', async (_, secure) => {
  const { cert, key } = await createCertificate('spread');
  const folder = await ServiceFolder.create({ 'cert.pem': cert, 'key.pem': key });
  const tls = secure
    ? ['--ssl-certfile', folder.file('cert.pem'), '--ssl-keyfile', folder.file('key.pem')]
    : [];
  const control = folder.file('ctl.sock');
  const flags = ['--api-workers', '2', '--port', '0', '--control-socket', control, ...tls];
  const { url } = await startServer(['start-http-server', 'examples/hello', ...flags]);
  const port = Number(new URL(url).port);
  const open = (): Socket =>
    secure ? connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false }) : connect(port, '127.0.0.1');
  const sockets = Array.from({ length: KEPT }, open);
  await Promise.all(sockets.map((socket) => once(socket, secure ? 'secureConnect' : 'connect')));
  const half = KEPT / 2;
  await waitFor('an even spread', async () => {
    const spread = await connectionsOf(control);
    return spread.length === 2 && spread.every((count) => count === half);
  });
  expect(await connectionsOf(control)).toEqual([half, half]);
  for (const socket of sockets) socket.destroy();
});
