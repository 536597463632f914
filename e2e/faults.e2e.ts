import { afterEach, describe, expect, test } from 'vitest';
import { connectGrpc, get, postJson } from './src/clients.js';
import { startLoad } from './src/load.js';
import { isAlive, waitFor } from './src/processes.js';
import { type Server, startServer, stopAll } from './src/topology.js';

afterEach(stopAll);

const bento = 'examples/linear';

/** How long the tree took from its command to its start line, in ms: a worker's own start with room for the machine's mood. */
async function timed<T>(start: () => Promise<T>): Promise<[T, number]> {
  const began = performance.now();
  return [await start(), performance.now() - began];
}

/** Kills a worker and waits until another stands in its place. */
async function replaceWorker(server: Server, watcher: string): Promise<void> {
  const [victim] = server.workers(watcher);
  if (victim === undefined) throw new Error(`no worker of ${watcher}`);
  process.kill(victim, 'SIGKILL');
  await waitFor(`a worker in place of ${victim}`, () =>
    server.workers(watcher).some((pid) => pid !== victim && isAlive(pid)),
  );
}

describe('kill -9 of a worker: the service comes back by itself', () => {
  test.each([
    ['an HTTP worker', 'http_api'],
    ['a runner worker', 'runner:matmul'],
  ])('%s', async (_, watcher) => {
    const [{ server, url }, startMs] = await timed(() =>
      startServer(['serve', bento, '--port', '0', '--grpc-port', '0', '--api-workers', '1']),
    );
    await replaceWorker(server, watcher);
    const back = performance.now();
    await waitFor(
      'an answer',
      async () => (await postJson(`${url}/predict`, [1, 2, 3, 4])).status === 200,
      startMs + 1000,
    );
    expect(performance.now() - back).toBeLessThan(startMs + 1000);
    expect((await get(`${url}/readyz`)).status).toBe(200);
  });

  test('a gRPC worker', async () => {
    const runner = await startServer(['start-runner-server', bento, '--runner-name', 'matmul']);
    const [{ server, url }, startMs] = await timed(() =>
      startServer([
        'start-grpc-server',
        bento,
        '--port',
        '0',
        '--metrics-port',
        '0',
        '--api-workers',
        '1',
        '--remote-runner',
        `matmul=${runner.url}`,
      ]),
    );
    const grpc = connectGrpc(url);
    const call = (): Promise<unknown> => grpc.call('Call', { api_name: 'upper', text: { value: 'a' } });
    await call();
    await replaceWorker(server, 'grpc_api');
    await waitFor('an answer', () => call().catch(() => undefined), startMs + 2000);
    grpc.close();
  });
});

describe('SIGTERM under load', () => {
  test.each([
    ['keep-alive connections', true],
    ['a connection per request', false],
  ])('loses no request: %s', async (_, keepAlive) => {
    const { server, url } = await startServer([
      'serve',
      bento,
      '--port',
      '0',
      '--grpc-port',
      '0',
      '--api-workers',
      '2',
    ]);
    const load = startLoad(`${url}/predict`, [1, 2, 3, 4], { connections: 8, keepAlive });
    await waitFor('traffic', () => load.answered >= 200);
    const { code } = await server.stop('SIGTERM');
    const result = await load.stop();
    expect(code).toBe(0);
    expect(result.answered).toBeGreaterThanOrEqual(200);
    expect(result.lost).toEqual([]);
    expect(result.wrong).toEqual([]);
  });

  test('a request in flight is answered, though it takes a while', async () => {
    const { server, url } = await startServer(['serve', bento, '--port', '0', '--grpc-port', '0']);
    const slow = postJson(`${url}/slow`, { s: 1.5 });
    await waitFor('the request to be in flight', async () =>
      /bentoml_runner_request_in_progress\{[^}]*\} [1-9]/.test((await get(`${url}/metrics`)).text),
    );
    const stopped = server.stop('SIGTERM');
    expect((await slow).status).toBe(200);
    expect((await stopped).code).toBe(0);
  });

  test('a second signal ends it at once', async () => {
    const { server, url } = await startServer(['serve', bento, '--port', '0', '--grpc-port', '0']);
    const slow = postJson(`${url}/slow`, { s: 20 }).catch((error: unknown) => error);
    await waitFor('the request to be in flight', async () =>
      /bentoml_runner_request_in_progress\{[^}]*\} [1-9]/.test((await get(`${url}/metrics`)).text),
    );
    const began = performance.now();
    server.signal('SIGINT');
    await server.printed(/SIGINT: requests in flight/);
    const { code } = await server.stop('SIGINT');
    expect(code).toBe(130);
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(await slow).toBeInstanceOf(Error);
  });
});

test('kill -9 of an arbiter ends its children', async () => {
  const { server } = await startServer(['serve', bento, '--port', '0', '--grpc-port', '0']);
  expect(server.pids().length).toBeGreaterThan(3);
  await server.stop('SIGKILL');
  expect(await server.survivors()).toEqual([]);
});
