import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectGrpc, connectHealth, get, type GrpcClient, postJson } from './src/clients.js';
import { type Ready, startServer, stopAll } from './src/topology.js';

const bento = 'examples/linear';
const map = (runner: Ready): string[] => ['--remote-runner', `matmul=${runner.url}`];

describe('linear, distributed: a runner, an HTTP and a gRPC server, tied by a runner map over TCP', () => {
  let http: string;
  let runner: Ready;
  let metrics: string;
  let grpc: GrpcClient;
  let health: GrpcClient;

  beforeAll(async () => {
    runner = await startServer(['start-runner-server', bento, '--runner-name', 'matmul']);
    const [httpServer, grpcServer] = await Promise.all([
      startServer(['start-http-server', bento, '--port', '0', '--api-workers', '2', ...map(runner)]),
      startServer(['start-grpc-server', bento, '--port', '0', '--metrics-port', '0', ...map(runner)]),
    ]);
    http = httpServer.url;
    grpc = connectGrpc(grpcServer.url);
    health = connectHealth(grpcServer.url);
    metrics = (await grpcServer.server.printed(/(http:\/\/\S+\/metrics)/))[1] ?? '';
  });

  afterAll(async () => {
    grpc.close();
    health.close();
    await stopAll();
  });

  test('an API without a runner answers', async () => {
    expect(await postJson(`${http}/hello`, {})).toEqual({ status: 200, body: { ok: true } });
  });

  test('an API answers through the runner, in both accepted forms', async () => {
    const list = await postJson(`${http}/predict`, [1, 2, 3, 4]);
    expect(list.status).toBe(200);
    expect((list.body as { result: number[] }).result).toHaveLength(4);
    expect(await postJson(`${http}/predict`, { data: [1, 2, 3, 4] })).toEqual(list);
  });

  test('a tensor, a text and a JSON value pass', async () => {
    const nd = await postJson(`${http}/predict_nd`, [
      [1, 2, 3, 4],
      [0, 0, 0, 0],
    ]);
    const one = await postJson(`${http}/predict`, [1, 2, 3, 4]);
    expect(nd.body).toEqual([(one.body as { result: number[] }).result, [0, 0, 0, 0]]);
    const upper = await fetch(`${http}/upper`, { method: 'POST', body: 'grüße' });
    expect(await upper.text()).toBe('GRÜSSE');
    expect((await postJson(`${http}/echo`, { a: [1, 'two', null] })).body).toEqual({ a: [1, 'two', null] });
  });

  test('a failing runner is named with class and message, and the next call works', async () => {
    const failed = await postJson(`${http}/fail`, {});
    expect(failed.status).toBe(500);
    expect(failed.body).toMatchObject({
      status: 500,
      code: 'runner_failed',
      runner: 'matmul',
      method: 'fail',
    });
    expect((await postJson(`${http}/predict`, [1, 2, 3, 4])).status).toBe(200);
  });

  test('bad input is a 400 that names what is wrong', async () => {
    const response = await fetch(`${http}/predict_nd`, { method: 'POST', body: '[[1,2,3,4],[1,2]]' });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('[1]');
    expect((await fetch(`${http}/predict_nd`, { method: 'POST', body: '[[1,2' })).status).toBe(400);
  });

  test('unknown paths are 404, other methods 405', async () => {
    expect((await postJson(`${http}/nothing`, {})).status).toBe(404);
    expect((await postJson(`${http}//hello`, {})).status).toBe(404);
    expect((await get(`${http}/predict`)).status).toBe(405);
  });

  test('health, metrics, OpenAPI and the page are served', async () => {
    for (const path of ['/livez', '/healthz', '/readyz']) {
      expect(await get(http + path)).toEqual({ status: 200, text: '\n' });
    }
    const text = (await get(`${http}/metrics`)).text;
    expect(text).toMatch(/bentoml_api_server_request_total\{[^}]*endpoint="\/predict"[^}]*\} \d/);
    const docs = JSON.parse((await get(`${http}/docs.json`)).text) as { paths: Record<string, unknown> };
    expect(Object.keys(docs.paths)).toContain('/predict');
    const page = (await get(http)).text;
    expect(page).toContain('swagger');
    expect(page).not.toMatch(/(src|href)="https?:/);
  });

  test('totals are exact over the workers of a tree, whichever answers', async () => {
    const count = async (): Promise<number> => {
      const { text } = await get(`${http}/metrics`);
      return Number(
        /bentoml_api_server_request_total\{[^}]*endpoint="\/hello"[^}]*\} (\d+)/.exec(text)?.[1] ?? 0,
      );
    };
    const before = await count();
    await Promise.all(Array.from({ length: 50 }, () => postJson(`${http}/hello`, {})));
    // A worker that is too busy to be asked is shown as it was.
    await expect.poll(count).toBe(before + 50);
    for (let i = 0; i < 5; i++) expect((await count()) - before).toBe(50);
  });

  test('the runner server answers probes and people with curl on its own port', async () => {
    const base = runner.url.replace('tcp:', 'http:');
    expect((await get(`${base}/livez`)).status).toBe(200);
    expect((await get(`${base}/readyz`)).status).toBe(200);
    const { text } = await get(`${base}/metrics`);
    expect(text).toContain('bentoml_runner_adaptive_batch_size');
    expect(text).not.toContain('bentoml_api_server_request_total');
  });

  test('gRPC answers as HTTP does', async () => {
    const json = {
      structValue: {
        fields: { data: { listValue: { values: [1, 2, 3, 4].map((n) => ({ numberValue: n })) } } },
      },
    };
    const answer = await grpc.call('Call', { api_name: 'predict', json });
    const over = (await postJson(`${http}/predict`, [1, 2, 3, 4])).body as { result: number[] };
    expect(JSON.stringify(answer)).toContain(
      JSON.stringify(over.result.map((n) => ({ numberValue: n, kind: 'numberValue' }))),
    );
    const text = await grpc.call('Call', { api_name: 'upper', text: { value: 'grüße' } });
    expect(text).toMatchObject({ text: { value: 'GRÜSSE' } });
    const ndarray = { dtype: 'DTYPE_FLOAT', shape: [1, 4], float_values: [1, 2, 3, 4] };
    const nd = await grpc.call('Call', { api_name: 'predict_nd', ndarray });
    expect((nd['ndarray'] as { float_values: number[] }).float_values).toEqual(over.result);
  });

  test('gRPC errors have true codes: unknown API, wrong content, failing runner', async () => {
    await expect(grpc.call('Call', { api_name: 'nothing', text: { value: '' } })).rejects.toMatchObject({
      code: 5,
    });
    await expect(grpc.call('Call', { api_name: 'upper', ndarray: {} })).rejects.toMatchObject({ code: 3 });
    await expect(
      grpc.call('Call', { api_name: 'fail', json: { structValue: { fields: {} } } }),
    ).rejects.toMatchObject({ code: 13, details: expect.stringContaining('matmul') as unknown });
  });

  test('gRPC tells its APIs, its health, and its metrics on a port of its own', async () => {
    const metadata = await grpc.call('ServiceMetadata', {});
    expect(metadata['name']).toBe('linear');
    expect((metadata['apis'] as { name: string }[]).map(({ name }) => name)).toContain('predict_nd');
    for (const service of ['', 'bentoml.grpc.v1.BentoService']) {
      expect(await health.call('Check', { service })).toEqual({ status: 'SERVING' });
    }
    for (const url of [metrics, metrics.replace('/metrics', '/')]) {
      const { status, text } = await get(url);
      expect(status).toBe(200);
      expect(text).toMatch(/bentoml_api_server_request_total\{[^}]*api_name="upper"/);
      expect(text).not.toContain('api_name="nothing"');
    }
  });
});

describe('a runner that goes away', () => {
  test('makes readyz 503 with its name, calls 503, and comes back without a restart', async () => {
    const first = await startServer(['start-runner-server', bento, '--runner-name', 'matmul']);
    const { url } = await startServer([
      'start-http-server',
      bento,
      '--port',
      '0',
      '--api-workers',
      '1',
      ...map(first),
    ]);
    expect((await postJson(`${url}/predict`, [1, 2, 3, 4])).status).toBe(200);
    await first.server.stop();

    const ready = await get(`${url}/readyz`);
    expect(ready.status).toBe(503);
    expect(ready.text).toContain('matmul');
    expect((await get(`${url}/livez`)).status).toBe(200);
    const refused = await postJson(`${url}/predict`, [1, 2, 3, 4]);
    expect(refused).toMatchObject({ status: 503, body: { code: 'unavailable', runner: 'matmul' } });
    expect((await postJson(`${url}/hello`, {})).status).toBe(200);

    const port = new URL(first.url).port;
    await startServer(['start-runner-server', bento, '--runner-name', 'matmul', '--port', port]);
    await expect.poll(async () => (await get(`${url}/readyz`)).status).toBe(200);
    expect((await postJson(`${url}/predict`, [1, 2, 3, 4])).status).toBe(200);
    await stopAll();
  });
});
