import { readFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { connectGrpc, get, postJson } from './src/clients.js';
import { waitFor } from './src/processes.js';
import { startServer, stopAll, workspace } from './src/topology.js';

afterEach(stopAll);

const bento = 'examples/linear';

/** Every sample of a scrape by its name and labels. */
async function scrape(url: string): Promise<ReadonlyMap<string, number>> {
  const lines = (await get(url)).text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.replace(/ \S+$/, ''), Number(line.split(' ').at(-1))]));
}

/** `up` of the first worker of a watcher, as a runner, an HTTP or a gRPC server shows it. */
const up = (watcher: string): string => `bentots_worker_up{watcher="${watcher}",worker="1"}`;

test('each server shows its own tree where Prometheus reads', async () => {
  const runner = await startServer(['start-runner-server', bento, '--runner-name', 'matmul']);
  const map = ['--remote-runner', `matmul=${runner.url}`, '--port', '0'];
  const [http, grpc] = await Promise.all([
    startServer(['start-http-server', bento, ...map]),
    startServer(['start-grpc-server', bento, '--metrics-port', '0', ...map]),
  ]);
  const places = await Promise.all(
    [runner, http, grpc].map(
      async ({ server }) => (await server.printed(/(http:\/\/\S+\/metrics)/))[1] ?? '',
    ),
  );
  const seen = await Promise.all(places.map(scrape));
  const trees = seen.map((samples) =>
    ['runner:matmul', 'dispatcher:matmul', 'http_api', 'grpc_api'].filter(
      (watcher) => samples.get(up(watcher)) === 1,
    ),
  );
  expect(trees).toEqual([['runner:matmul', 'dispatcher:matmul'], ['http_api'], ['grpc_api']]);
});

test('a server that was used shows every metric of docs/metrics.md; without metrics there is no place for them', async () => {
  const { server, url } = await startServer(['serve', bento, '--port', '0', '--grpc-port', '0']);
  const grpc = connectGrpc((await server.printed(/ready on (grpc:\/\/\S+)/))[1] ?? '');
  expect((await postJson(`${url}/predict`, [1, 2, 3, 4])).status).toBe(200);
  await grpc.call('Call', { api_name: 'upper', text: { value: 'a' } });
  grpc.close();
  await server.printed(/ready on/);
  const doc = readFileSync(`${workspace}/docs/metrics.md`, 'utf8');
  const names = [...doc.matchAll(/^\| `(bento\w+)`/gm)].map(([, name = '']) => name);
  expect(names.length).toBeGreaterThan(20);
  const { text } = await get(`${url}/metrics`);
  expect([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name).sort()).toEqual(names.sort());
  const quiet = await startServer(['start-http-server', 'examples/hello', '--port', '0', '--no-metrics']);
  expect((await get(`${quiet.url}/metrics`)).status).toBe(404);
});

test('kill -9 is one line for machines, and takes nothing from the totals', async () => {
  const args = [
    'serve',
    bento,
    '--port',
    '0',
    '--grpc-port',
    '0',
    '--api-workers',
    '1',
    '--log-format',
    'json',
  ];
  const { server, url } = await startServer(args);
  await server.printed(/ready on grpc:/);
  for (let count = 0; count < 5; count += 1) await postJson(`${url}/predict`, [1, 2, 3, 4]);
  const before = await scrape(`${url}/metrics`);
  const [victim = 0] = server.workers('http_api');
  process.kill(victim, 'SIGKILL');
  const restarts = 'bentots_worker_restarts_total{watcher="http_api",reason="crashed"}';
  await waitFor('the next worker', async () => {
    const samples = await scrape(`${url}/metrics`).catch(() => new Map<string, number>());
    return samples.get(restarts) === 1 && samples.get(up('http_api')) === 1;
  });
  const after = await scrape(`${url}/metrics`);
  const totals = [...before].filter(([name]) => /_(total|count|sum|bucket)\{/.test(name));
  expect(totals.filter(([name, value]) => (after.get(name) ?? 0) < value)).toEqual([]);
  expect([...after].filter(([name, value]) => name.includes('in_progress') && value > 1)).toEqual([]);
  const exits = server.output.split('\n').filter((line) => line.includes('"event":"worker-exited"'));
  expect(exits.map((line): unknown => JSON.parse(line))).toMatchObject([
    {
      level: 'error',
      component: 'arbiter',
      event: 'worker-exited',
      watcher: 'http_api',
      worker: 1,
      generation: 1,
      pid: victim,
      reason: 'crashed',
      signal: 'SIGKILL',
      expected: false,
      lived_ms: expect.any(Number),
    },
  ]);
});
