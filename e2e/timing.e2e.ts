import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectGrpc, type GrpcClient } from './src/clients.js';
import { waitFor } from './src/processes.js';
import { removeFolders, ServiceFolder } from './src/service-folder.js';
import { startServer, stopAll } from './src/topology.js';

/** Starts both edges and the runners of a service; the addresses of the edges. */
async function serve(service: string): Promise<{ http: string; grpc: GrpcClient }> {
  const ports = ['--port', '0', '--grpc-port', '0', '--api-workers', '1'];
  const { server, url } = await startServer(['serve', service, '--no-access-log', ...ports]);
  const [, grpcUrl = ''] = await server.printed(/ready on (grpc:\/\/\S+)/);
  return { http: url, grpc: connectGrpc(grpcUrl) };
}

/** The entries by name: what each took, or what it says. */
function parseTiming(header: unknown): Map<string, number | string> {
  const entries = String(header).matchAll(/([\w-]+)(?:;dur=([\d.]+))?(?:;desc="([^"]*)")?(?:, |$)/g);
  return new Map(
    [...entries].map(([, name = '', dur, desc = '']) => [name, dur === undefined ? desc : Number(dur)]),
  );
}

const ENTRIES = ['queue', 'batch', 'infer', 'size', 'hop', 'app', 'total'];
const PARTS = ['queue', 'batch', 'infer', 'hop', 'app'];

/** Each part is rounded to 0.01 ms. */
const ROUNDING_MS = 0.005 * (PARTS.length + 1) + 1e-9;

function expectToAddUp(timing: Map<string, number | string>): void {
  expect([...timing.keys()]).toEqual(ENTRIES);
  const sum = PARTS.reduce((ms, name) => ms + Number(timing.get(name)), 0);
  expect(Math.abs(sum - Number(timing.get('total')))).toBeLessThanOrEqual(ROUNDING_MS);
}

describe('where the time of a request went', () => {
  let http: string;
  let grpc: GrpcClient;

  beforeAll(async () => {
    ({ http, grpc } = await serve('examples/linear'));
  });

  afterAll(async () => {
    grpc.close();
    await stopAll();
  });

  test('Server-Timing adds up to the time at the edge, which is within that of the client', async () => {
    for (let i = 0; i < 5; i += 1) {
      const start = performance.now();
      const response = await fetch(`${http}/predict`, { method: 'POST', body: '[1,2,3,4]' });
      const clientMs = performance.now() - start;
      expect(response.status).toBe(200);
      await response.text();
      const timing = parseTiming(response.headers.get('server-timing'));
      expectToAddUp(timing);
      expect(timing.get('size')).toBe('1');
      expect(timing.get('total')).toBeLessThanOrEqual(clientMs);
    }
  });

  test('calls that run together are told the size of their batch', async () => {
    const rows = JSON.stringify(Array.from({ length: 30 }, () => [1, 2, 3, 4]));
    const response = await fetch(`${http}/predict_nd`, { method: 'POST', body: rows });
    expect(parseTiming(response.headers.get('server-timing')).get('size')).toBe('30');
    await response.text();
  });

  test('a failing runner is told as one whole, and no runner not at all', async () => {
    const timingOf = async (api: string): Promise<string | null> => {
      const response = await fetch(`${http}/${api}`, { method: 'POST', body: '{}' });
      await response.text();
      return response.headers.get('server-timing');
    };
    expect([...parseTiming(await timingOf('fail')).keys()]).toEqual(['runner', 'app', 'total']);
    expect(await timingOf('hello')).toBeNull();
  });

  test('gRPC tells the same in the trailer', async () => {
    const ndarray = { dtype: 'DTYPE_FLOAT', shape: [1, 4], float_values: [1, 2, 3, 4] };
    const { code, metadata } = await grpc.statusOf('Call', { api_name: 'predict_nd', ndarray });
    expect(code).toBe(0);
    const [trailer] = metadata.get('server-timing');
    expectToAddUp(parseTiming(trailer));
  });
});

/** Rows say how long they take; a batch that nobody waits for ends at once. */
const SLOW = `
import { setTimeout as sleep } from 'node:timers/promises';
import { batchable, createRunner, currentCallContext, Service, tensor } from '@bentots/service';

class Sleeper {
  static readonly methods = { sleep: batchable({ maxBatchSize: 4 }) };
  async sleep(rows) {
    await sleep(Math.max(...rows.data), undefined, { signal: currentCallContext()?.signal });
    return rows;
  }
}
const sleeper = createRunner(Sleeper, { name: 'sleeper', workers: 1 });
export const svc = new Service('slow', { runners: [sleeper] }).api(
  'sleep',
  { input: tensor({ shape: [-1, 1] }), output: tensor() },
  (rows) => sleeper.sleep.run(rows),
);
`;

describe('a request whose deadline the runner cannot meet', () => {
  const usualMs = 600;
  const tooShortMs = 400;
  const busy = new AbortController();
  let http: string;
  let grpc: GrpcClient;
  const ask = (ms: number, init: RequestInit = {}): Promise<Response> =>
    fetch(`${http}/sleep`, { method: 'POST', body: `[[${ms}]]`, ...init });

  beforeAll(async () => {
    const folder = await ServiceFolder.create({ 'service.ts': SLOW });
    ({ http, grpc } = await serve(folder.path));
    // The runner learns what a batch costs, and is then busy for longer than the tests take.
    for (let i = 0; i < 3; i += 1) expect((await ask(usualMs)).status).toBe(200);
    ask(100_000, { signal: busy.signal }).catch(() => undefined);
  });

  afterAll(async () => {
    busy.abort();
    grpc.close();
    await stopAll();
    await removeFolders();
  });

  test('is refused with 503 and the time after which to come back', async () => {
    const headers = { 'x-request-timeout': `${tooShortMs}ms` };
    const { response, body } = await waitFor('a refusal', async () => {
      const response = await ask(usualMs, { headers });
      const body = (await response.json()) as Record<string, unknown>;
      return response.status === 503 ? { response, body } : undefined;
    });
    expect(body).toMatchObject({ status: 503, code: 'overloaded', retryAfterMs: expect.any(Number) });
    const retryAfterMs = Number(body['retryAfterMs']);
    expect(retryAfterMs).toBeGreaterThan(0);
    expect(response.headers.get('retry-after')).toBe(String(Math.ceil(retryAfterMs / 1000)));
    expect(parseTiming(response.headers.get('server-timing')).has('runner')).toBe(true);
  });

  test('is UNAVAILABLE over gRPC, with RetryInfo', async () => {
    const ndarray = { dtype: 'DTYPE_FLOAT', shape: [1, 1], float_values: [usualMs] };
    const { metadata } = await waitFor('a refusal', async () => {
      const status = await grpc.statusOf('Call', { api_name: 'sleep', ndarray }, tooShortMs);
      return status.code === 14 ? status : undefined;
    });
    expect(metadata.get('bentots-error-code')).toEqual(['overloaded']);
    const [details] = metadata.get('bentots-error-details');
    expect(JSON.parse(String(details))).toMatchObject({ retryAfterMs: expect.any(Number) });
    expect(String(metadata.get('grpc-status-details-bin')[0])).toContain('google.rpc.RetryInfo');
  });
});
