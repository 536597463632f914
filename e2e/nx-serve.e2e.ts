import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { get, postJson } from './src/clients.js';
import { Server, stopAll } from './src/topology.js';

afterEach(stopAll);

const nx = fileURLToPath(new URL('../node_modules/nx/dist/bin/nx.js', import.meta.url));

// Nx signals the leaves of a process tree first: a supervisor that replaces them at once would leave orphans.
test.each(['SIGTERM', 'SIGINT'] as const)(
  'nx serve http-api ended by %s leaves no process',
  async (signal) => {
    const server = new Server(process.execPath, [nx, 'serve', 'http-api'], { BENTOTS_PORT: '0' });
    const [, url = ''] = await server.printed(/ready on (http:\/\/\S+)/);
    expect((await postJson(`${url}/hello`, {})).status).toBe(200);
    await server.stop(signal);
    expect(await server.survivors()).toEqual([]);
    await expect(get(`${url}/livez`)).rejects.toThrow();
  },
);

test('nx run-many -t serve: all three servers up together, answering, and gone together', async () => {
  const server = new Server(process.execPath, [nx, 'run-many', '-t', 'serve']);
  const [, url = ''] = await server.printed(/ready on (http:\/\/\S+)/);
  await server.printed(/ready on grpc:\/\//);
  await server.printed(/ready on tcp:\/\//);
  await expect.poll(async () => (await get(`${url}/readyz`)).status).toBe(200);
  expect((await postJson(`${url}/predict`, [1, 2, 3, 4])).status).toBe(200);
  server.pids();
  await server.stop('SIGTERM');
  expect(await server.survivors()).toEqual([]);
});
