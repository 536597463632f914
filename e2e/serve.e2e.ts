import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { connectGrpc, get, postJson } from './src/clients.js';
import { startServer, stopAll, workspace } from './src/topology.js';

afterEach(stopAll);

const serve = (example: string, ...more: string[]): ReturnType<typeof startServer> =>
  startServer(['serve', `examples/${example}`, '--port', '0', '--grpc-port', '0', ...more]);

test('hello: the shortest service, all in one', async () => {
  const { url } = await serve('hello');
  expect((await get(`${url}/readyz`)).status).toBe(200);
  expect((await postJson(`${url}/hello`, { name: 'Ada' })).status).toBe(200);
});

test('linear: runner, HTTP and gRPC under one arbiter; its socket files are gone at the end', async () => {
  const { server, url } = await serve('linear', '--verbose', '--metrics-port', '0');
  const grpcUrl = (await server.printed(/ready on (grpc:\/\/\S+)/))[1] ?? '';
  expect((await postJson(`${url}/predict`, [1, 2, 3, 4])).status).toBe(200);
  const grpc = connectGrpc(grpcUrl);
  expect(await grpc.call('Call', { api_name: 'upper', text: { value: 'a' } })).toMatchObject({
    text: { value: 'A' },
  });
  grpc.close();
  for (const watcher of ['runner:matmul', 'http_api', 'grpc_api']) {
    expect(server.workers(watcher).length, watcher).toBeGreaterThan(0);
  }

  const [, path = ''] = await server.printed(/socket=runner:matmul address=\{"path":"([^"]+)"/);
  expect(existsSync(path)).toBe(true);
  expect(await server.stop('SIGINT')).toMatchObject({ code: 0 });
  expect(existsSync(path)).toBe(false);
  expect(existsSync(dirname(path))).toBe(false);
});

test('read-digits: the picture of the README reads 4072', async () => {
  const { url } = await serve('read-digits');
  const response = await fetch(`${url}/read_number`, {
    method: 'POST',
    headers: { 'content-type': 'image/png' },
    body: readFileSync(`${workspace}/examples/read-digits/pictures/4072.png`),
  });
  expect(await response.text()).toBe('{"number":"4072"}');
});

test('calls that arrive together run as one batch', async () => {
  const { url } = await serve('linear');
  await postJson(`${url}/predict`, [0, 0, 0, 0]);
  await Promise.all(Array.from({ length: 64 }, (_, i) => postJson(`${url}/predict`, [i, i, i, i])));
  const value = async (suffix: string): Promise<number> => {
    const { text } = await get(`${url}/metrics`);
    const line = `bentoml_runner_adaptive_batch_size_${suffix}\\{[^}]*method_name="predict"[^}]*\\} (\\d+)`;
    return Number(new RegExp(line).exec(text)?.[1]);
  };
  // A worker that is too busy to be asked is shown as it was.
  await expect.poll(() => value('sum')).toBe(65);
  expect(await value('count')).toBeLessThan(65);
});
