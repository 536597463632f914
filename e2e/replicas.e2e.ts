import { afterEach, expect, test } from 'vitest';
import { get, postJson } from './src/clients.js';
import { startLoad } from './src/load.js';
import { waitFor } from './src/processes.js';
import { type Ready, startServer, stopAll } from './src/topology.js';

afterEach(stopAll);

const bento = 'examples/linear';

function startReplica(port = 0): Promise<Ready> {
  return startServer(['start-runner-server', bento, '--runner-name', 'matmul', '--port', String(port)]);
}

function startEdge(...addresses: string[]): Promise<Ready> {
  const map = ['--remote-runner', `matmul=${addresses.join(',')}`];
  return startServer(['start-http-server', bento, '--port', '0', '--api-workers', '2', ...map]);
}

/** Calls that a replica has answered. */
async function answeredBy({ url }: Ready): Promise<number> {
  const { text } = await get(`${url.replace('tcp:', 'http:')}/metrics`);
  const samples = text.split('\n').filter((line) => line.startsWith('bentoml_runner_request_total{'));
  return samples.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

test('a replica that is killed under load fails no idempotent request, and serves again when it is back', async () => {
  const [first, second] = await Promise.all([startReplica(), startReplica()]);
  const { url } = await startEdge(first.url, second.url);
  expect((await postJson(`${url}/predict`, [1, 2, 3, 4])).body).toEqual({ result: [1, 4, 9, 22] });
  const load = startLoad(`${url}/predict`, [1, 2, 3, 4], { connections: 16, keepAlive: true });

  await waitFor(
    'traffic at both',
    async () => (await answeredBy(first)) > 200 && (await answeredBy(second)) > 200,
  );
  first.server.kill();
  const atDeath = load.answered;
  await waitFor('traffic at one', () => load.answered > atDeath + 500);

  const again = await startReplica(Number(new URL(first.url).port));
  await waitFor('traffic at both again', async () => (await answeredBy(again)) > 100);
  const result = await load.stop();
  expect(result).toMatchObject({ lost: [], wrong: [], unavailable: [] });
  expect(result.answered).toBeGreaterThan(900);
});

test('a replica that is stopped in good order fails no request of any kind', async () => {
  const [first, second] = await Promise.all([startReplica(), startReplica()]);
  const { url } = await startEdge(first.url, second.url);
  const load = startLoad(`${url}/predict`, [1, 2, 3, 4], { connections: 16, keepAlive: true });
  await waitFor(
    'traffic at both',
    async () => (await answeredBy(first)) > 100 && (await answeredBy(second)) > 100,
  );
  expect((await first.server.stop()).code).toBe(0);
  const atStop = load.answered;
  await waitFor('traffic at one', () => load.answered > atStop + 200);
  expect(await load.stop()).toMatchObject({ lost: [], wrong: [], unavailable: [] });
});

test('requests wait for a runner whose only dispatcher is being replaced', async () => {
  const { server, url: address } = await startReplica();
  const { url } = await startEdge(address);
  expect((await postJson(`${url}/predict`, [1, 2, 3, 4])).status).toBe(200);
  const [dispatcher = 0] = server.workers('dispatcher:matmul');
  process.kill(dispatcher, 'SIGKILL');
  const answers = await Promise.all([1, 2, 3].map(() => postJson(`${url}/predict`, [1, 2, 3, 4])));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  expect(server.workers('dispatcher:matmul')).not.toContain(dispatcher);
});
