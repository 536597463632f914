import type { Request } from './wire/bentoml/grpc/v1/service.gen.js';
import { describe, expect, test } from 'vitest';
import type { TestClient } from '../test/client.js';
import { startTree } from '../test/start-tree.js';
import { HealthCheckResponse_ServingStatus as ServingStatus } from './wire/grpc/health/v1/health.gen.js';

/** Calls an API with a JSON value; the answer's value. */
async function ask(client: TestClient, apiName: string, value: unknown = null): Promise<unknown> {
  const content: Request['content'] = { $case: 'json', value };
  return (await client.call(apiName, content))?.value;
}

describe('workers of a service without runners', () => {
  test('share the port evenly, each with the state of its own start-up hook', async () => {
    const tree = await startTree('plain', 2);
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask(tree.client(), 'who')));
    const pids = answers.map((answer) => (answer as { pid: number }).pid);
    const counts = [...new Set(pids)].map((pid) => pids.filter((other) => other === pid).length);
    expect(counts).toEqual([4, 4]);
    const ids = new Set(answers.map((answer) => (answer as { workerId: number }).workerId));
    expect([...ids].toSorted()).toEqual([1, 2]);
    expect((await tree.notes()).toSorted()).toEqual(['startup 1', 'startup 2']);
  });

  test('count together: the metrics port tells the sum, whichever answers', async () => {
    const tree = await startTree('plain', 2);
    await Promise.all(Array.from({ length: 6 }, () => ask(tree.client(), 'who')));
    await ask(tree.client(), 'made-up').catch(() => undefined);
    const series = (api: string, code: number): string =>
      `bentoml_api_server_request_total{api_name="${api}",service_name="plain",service_version="not available",http_response_code="${code}"}`;
    for (const path of ['/metrics', '/']) {
      const read = async (): Promise<string> => (await fetch(tree.metricsUrl + path)).text();
      await expect.poll(read).toContain(`${series('who', 200)} 6`);
      await expect.poll(read).toContain(`${series('unknown', 404)} 1`);
    }
    expect((await fetch(`${tree.metricsUrl}/nothing`)).status).toBe(404);
  });

  test('are replaced after the calls that they may serve', async () => {
    const tree = await startTree('plain', 1, {}, { maxRequests: 3 });
    const restarts = (): unknown => tree.arbiter.status().watchers[0]?.workers[0]?.restartsByReason;
    for (let count = 0; count < 3; count += 1) await ask(tree.client(), 'who');
    await expect.poll(restarts, { timeout: 15_000 }).toEqual({ 'max-requests': 1 });
  });

  test('speak the version that they are told', async () => {
    const client = (await startTree('plain', 1, { protocolVersion: 'v1alpha1' })).client();
    expect(await client.check('bentoml.grpc.v1alpha1.BentoService')).toBe(ServingStatus.SERVING);
    await expect(client.check('bentoml.grpc.v1.BentoService')).rejects.toThrow('unknown service');
  });

  test('stopped with calls in flight, they lose none and run the shutdown hooks after the last', async () => {
    const tree = await startTree('plain', 2);
    const clients = [tree.client(), tree.client()];
    const watch = clients[0]?.watch('');
    expect((await watch?.next())?.value).toBe(ServingStatus.SERVING);
    const calls = clients.flatMap((client) => [ask(client, 'slow', 600), ask(client, 'slow', 700)]);
    await expect
      .poll(async () => (await tree.notes()).filter((line) => line === 'slow began').length)
      .toBe(4);
    const stopped = tree.arbiter.stop();
    expect((await watch?.next())?.value).toBe(ServingStatus.NOT_SERVING);
    expect(await Promise.all(calls)).toEqual([600, 700, 600, 700]);
    await stopped;
    expect(await tree.arbiter.done).toMatchObject({ exitCode: 0 });
    const notes = await tree.notes();
    expect(notes.filter((line) => line === 'slow ended')).toHaveLength(4);
    expect(notes.filter((line) => line.startsWith('shutdown')).toSorted()).toEqual([
      'shutdown 1',
      'shutdown 2',
    ]);
    expect(notes.at(-1)).toMatch(/^shutdown/);
  });

  test('sent SIGTERM with a call in flight, one answers it and is replaced', async () => {
    const tree = await startTree('plain', 1);
    const client = tree.client();
    const first = (await ask(client, 'who')) as { pid: number };
    const call = ask(client, 'slow', 500);
    await expect.poll(() => tree.notes()).toContain('slow began');
    process.kill(first.pid, 'SIGTERM');
    expect(await call).toBe(500);
    await expect
      .poll(() => tree.notes())
      .toEqual(['startup 1', 'slow began', 'slow ended', 'shutdown 1', 'startup 1']);
    const second = (await ask(client, 'who')) as { pid: number };
    expect(second.pid).not.toBe(first.pid);
  });

  test('killed, one is replaced and clients go on by themselves', async () => {
    const tree = await startTree('plain', 1);
    const client = tree.client();
    const first = (await ask(client, 'who')) as { pid: number };
    process.kill(first.pid, 'SIGKILL');
    const pidNow = async (): Promise<number> => {
      const answer = await ask(client, 'who').catch(() => first);
      return (answer as { pid: number }).pid;
    };
    await expect.poll(pidNow).not.toBe(first.pid);
  });
});

describe('a worker that cannot serve', () => {
  test('is not ready while a runner is awaited', async () => {
    // Port 1 of this machine: nobody listens there.
    const runnerMap = { doubler: ['tcp://127.0.0.1:1'] };
    const tree = startTree('remote', 1, { runnerMap }, { readyTimeoutMs: 2500 });
    await expect(tree).rejects.toMatchObject({ code: 'worker_not_ready' });
  });

  test('says why: a start-up hook that throws', async () => {
    await expect(startTree('broken', 1)).rejects.toMatchObject({
      code: 'worker_not_ready',
      message: expect.stringContaining('the table of prices is empty'),
    });
  });

  test('says why: a certificate that cannot be read', async () => {
    const ssl = { certfile: '/nowhere/cert.pem', keyfile: '/nowhere/key.pem' };
    await expect(startTree('plain', 1, { ssl })).rejects.toMatchObject({ code: 'tls_invalid' });
  });
});
