import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { json as readJson, text as readText } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

import { ServeError } from '@bentots/errors';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';

import { dryRun } from './dry-run.js';
import type { ServerHandle } from './server-handle.js';
import { startGrpcServer } from './start-grpc-server.js';
import { prepareHttpServer, startHttpServer } from './start-http-server.js';
import { startRunnerServer } from './start-runner-server.js';
import { startServe } from './start-serve.js';

const folder = (name: string) => fileURLToPath(new URL(`../test/${name}`, import.meta.url));
const entry = folder('worker.mjs');
const common = {
  bentoIdentifier: folder('services/two-runners'),
  workers: { runner: entry, dispatcher: entry, http: entry, grpc: entry },
  signals: false,
  environment: {},
  logLevel: 'silent',
  apiWorkers: 1,
} as const;
const { apiWorkers: _, ...runnerCommon } = common;
const runnerMap = { near: 'tcp://127.0.0.1:4001', far: 'tcp://127.0.0.1:4002' };

const temporary = mkdtempSync(join(tmpdir(), 'bentots-start-'));
const running: ServerHandle[] = [];

function keep(handle: ServerHandle): ServerHandle {
  running.push(handle);
  return handle;
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((handle) => handle.stop()));
  vi.unstubAllEnvs();
});

afterAll(() => rmSync(temporary, { recursive: true }));

interface Seen {
  readonly watcher: string;
  readonly data: { readonly socket: string; readonly runnerMap: Record<string, string[]> };
}

function ask(options: { port?: number; socketPath?: string }): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const request = get({ host: '127.0.0.1', path: '/', ...options }, (response) => {
      readJson(response).then((value) => resolve(value as Seen), reject);
    });
    request.on('error', reject);
  });
}

function readMetrics(target: { host?: string; port?: number; socketPath?: string }): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get({ ...target, path: '/metrics' }, (response) => {
      readText(response).then(resolve, reject);
    });
    request.on('error', reject);
  });
}

function failureOf(handle: Promise<unknown>): Promise<ServeError> {
  return handle.then(
    () => {
      throw new Error('it started');
    },
    (error: unknown) => {
      if (error instanceof ServeError) return error;
      throw error;
    },
  );
}

async function occupy(): Promise<{ port: number; server: Server }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { port: address.port, server };
}

describe('a server that starts', () => {
  test('HTTP: ready tells the true port, its workers got the map, stop ends it with exit code 0', async () => {
    const server = keep(startHttpServer({ ...common, runnerMap }));
    const { url, metricsUrl, addresses } = await server.ready;
    const port = Number(new URL(url).port);
    expect(url).toBe(`http://127.0.0.1:${port}`);
    expect(metricsUrl).toBe(`${url}/metrics`);
    expect(addresses).toEqual([{ name: 'http', address: { host: '127.0.0.1', port } }]);
    const seen = await ask({ port });
    expect(seen.watcher).toBe('http_api');
    expect(seen.data.runnerMap).toEqual({ near: ['tcp://127.0.0.1:4001'], far: ['tcp://127.0.0.1:4002'] });
    await server.stop();
    expect(await server).toEqual({ exitCode: 0, reason: 'asked' });
    await expect(ask({ port })).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('runner: without a port it gets a free one, as an address for runner maps', async () => {
    const server = keep(startRunnerServer({ ...runnerCommon, runnerName: 'far' }));
    const { url } = await server.ready;
    expect(url).toMatch(/^tcp:\/\/127\.0\.0\.1:\d+$/);
    const seen = await ask({ port: Number(url.split(':')[2]) });
    expect(seen).toMatchObject({ watcher: 'dispatcher:far', data: { runner: { name: 'far', workers: 2 } } });
  });

  test('gRPC: metrics have a free port of their own', async () => {
    const server = keep(startGrpcServer({ ...common, runnerMap }));
    const { url, metricsUrl } = await server.ready;
    expect(url).toMatch(/^grpc:\/\/127\.0\.0\.1:\d+$/);
    expect(metricsUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/metrics$/);
    expect(new URL(metricsUrl ?? '').port).not.toBe(url.split(':')[2]);
  });

  test('two without a port run beside each other; 0 as an option wins over a default port', async () => {
    const { port, server } = await occupy();
    const options = { ...common, runnerMap, defaults: { port } };
    const [first, second] = [
      startHttpServer({ ...common, runnerMap }),
      startHttpServer({ ...options, port: 0 }),
    ];
    const urls = await Promise.all([keep(first), keep(second)].map(async ({ ready }) => (await ready).url));
    expect(new Set([...urls, `http://127.0.0.1:${port}`]).size).toBe(3);
    expect((await failureOf(startHttpServer(options))).code).toBe('address_in_use');
    server.close();
  });

  test('IPv6 works and its URL has brackets', async () => {
    const server = keep(startHttpServer({ ...common, runnerMap, host: '::1' }));
    expect((await server.ready).url).toMatch(/^http:\/\/\[::1\]:\d+$/);
  });

  test('the code of the service never runs in the process of the arbiter, not for the plan either', async () => {
    const log = join(temporary, 'loaded.log');
    vi.stubEnv('LOAD_LOG', log);
    await keep(startHttpServer({ ...common, runnerMap })).ready;
    const pids = readFileSync(log, 'utf8').trim().split('\n').map(Number);
    expect(pids.length).toBeGreaterThan(0);
    expect(pids).not.toContain(process.pid);
  });

  test('a service that kills its process while it is loaded is told, and harms nobody', async () => {
    vi.stubEnv('LOAD_KILLS', 'yes');
    const failure = await failureOf(startHttpServer({ ...common, runnerMap }).ready);
    expect(failure.message).toContain('SIGKILL');
  });

  test('the deployment hook runs once per tree, and not for a dry run', async () => {
    const log = join(temporary, 'deploy.log');
    writeFileSync(log, '');
    vi.stubEnv('DEPLOY_LOG', log);
    await dryRun(prepareHttpServer({ ...common, runnerMap }));
    expect(readFileSync(log, 'utf8')).toBe('');
    const server = keep(startHttpServer({ ...common, runnerMap, apiWorkers: 2 }));
    await server.ready;
    expect(readFileSync(log, 'utf8')).toBe('deployed\n');
  });

  test('serve: runners on private sockets that the edges know, all gone at the end', async () => {
    const server = keep(startServe(common));
    const { addresses, url, grpcUrl } = await server.ready;
    const paths = addresses.flatMap(({ address }) => ('path' in address ? [address.path] : []));
    expect(addresses.map((socket) => socket.name)).toEqual(['runner:near', 'runner:far', 'http', 'grpc']);
    const [near = '', far = ''] = paths;
    expect(statSync(dirname(near)).mode & 0o777).toBe(0o700);
    expect(statSync(near).mode & 0o777).toBe(0o600);
    const seen = await ask({ port: Number(new URL(url).port) });
    expect(seen.data.runnerMap).toEqual({ near: [`unix://${near}`], far: [`unix://${far}`] });
    expect((await ask({ socketPath: far })).watcher).toBe('dispatcher:far');
    expect(grpcUrl).toMatch(/^grpc:/);
    await server.stop();
    expect(existsSync(dirname(near))).toBe(false);
  });

  test('its own metrics are merged into those of its workers, and are not kept when nobody can read them', async () => {
    const [on, off] = [true, false].map((metrics) => keep(startServe({ ...common, metrics })));
    for (const { address } of (await on?.ready)?.addresses ?? []) {
      const text = await readMetrics('path' in address ? { socketPath: address.path } : address);
      for (const watcher of ['http_api', 'grpc_api', 'runner:near', 'dispatcher:near', 'runner:far']) {
        expect(text).toContain(`bentots_worker_up{watcher="${watcher}",worker="1"} 1`);
      }
    }
    for (const { address } of (await off?.ready)?.addresses ?? []) {
      expect(await readMetrics('path' in address ? { socketPath: address.path } : address)).toBe('');
    }
  });

  test('stopped before it is ready: the handle resolves, ready says so', async () => {
    const server = keep(startHttpServer({ ...common, runnerMap }));
    const ready = failureOf(server.ready);
    await server.stop();
    expect(await server).toMatchObject({ exitCode: 0, reason: 'asked' });
    expect((await ready).code).toBe('cancelled');
  });
});

describe('a server that cannot start rejects with what is wrong', () => {
  test('an unknown runner', async () => {
    const error = await failureOf(startRunnerServer({ ...runnerCommon, runnerName: 'nearr' }));
    expect(error).toMatchObject({
      code: 'runner_not_found',
      message: "service 'two-runners' has no runner 'nearr'; available: near, far",
    });
  });

  test('a map that lacks a runner; the embedded one is not asked for', async () => {
    const options = { ...common, runnerMap: { near: 'tcp://127.0.0.1:1' } };
    for (const start of [startHttpServer, startGrpcServer]) {
      const error = await failureOf(start(options));
      expect(error.code).toBe('runner_map_invalid');
      expect(error.details).toMatchObject({ missing: ['far'], required: ['near', 'far'], mapped: ['near'] });
    }
  });

  test('a malformed entry of the map', async () => {
    const error = await failureOf(startHttpServer({ ...common, runnerMap: 'near=http://x:1' }));
    expect(error.code).toBe('runner_map_invalid');
    expect(error.message).toContain('near=http://x:1');
  });

  test('no such service', async () => {
    const error = await failureOf(startHttpServer({ ...common, bentoIdentifier: './nowhere.ts', runnerMap }));
    expect(error.code).toBe('service_not_found');
  });

  test('no such working directory', async () => {
    const error = await failureOf(startHttpServer({ ...common, workingDir: '/no/such/dir', runnerMap }));
    expect(error).toMatchObject({ code: 'invalid_option' });
    expect(error.message).toContain('/no/such/dir');
  });

  test('a wrong option, and no throw', async () => {
    const error = await failureOf(startHttpServer({ ...common, port: -1 }));
    expect(error.message).toBe(`option 'port' is -1; expected a port from 1 to 65535, or 0 for a free one`);
  });

  test('a missing worker file', async () => {
    const error = await failureOf(startHttpServer({ ...common, workers: {} }));
    expect(error.message).toContain("option 'workers.http' is missing");
  });

  test('a certificate that is not there, before the service is loaded', async () => {
    const ssl = { sslCertfile: '/no/cert.pem', sslKeyfile: '/no/key.pem' };
    const error = await failureOf(startHttpServer({ ...common, ...ssl, bentoIdentifier: './nowhere.ts' }));
    expect(error.code).toBe('tls_invalid');
    expect(error.message).toContain('/no/cert.pem');
  });

  test('a key without a certificate', async () => {
    const error = await failureOf(startHttpServer({ ...common, runnerMap, sslKeyfile: '/k.pem' }));
    expect(error.code).toBe('invalid_option');
  });

  test('an authority of runners that is not there, or that no runner of the map has', async () => {
    const secure = { near: 'tcps://127.0.0.1:4001' };
    const options = { ...common, runnerSslCaCerts: '/no/ca.pem' };
    for (const start of [startHttpServer, startGrpcServer]) {
      const missing = await failureOf(start({ ...options, runnerMap: secure }));
      expect([missing.code, missing.message]).toEqual([
        'tls_invalid',
        "CA file '/no/ca.pem' cannot be read: no such file",
      ]);
      const unused = await failureOf(start({ ...options, runnerMap: { near: 'tcp://127.0.0.1:4001' } }));
      expect(unused).toMatchObject({ code: 'invalid_option', message: expect.stringContaining('no effect') });
    }
  });

  test('a port in use, for each kind of server', async () => {
    const { port, server } = await occupy();
    const starts = [
      startHttpServer({ ...common, runnerMap, port }),
      startGrpcServer({ ...common, runnerMap, port, metrics: false }),
      startRunnerServer({ ...runnerCommon, runnerName: 'near', port }),
    ];
    for (const error of await Promise.all(starts.map(failureOf))) {
      expect(error.code).toBe('address_in_use');
      expect(error.message).toContain(String(port));
    }
    server.close();
  });

  test("a model that does not load, in its worker's words", async () => {
    const bentoIdentifier = folder('services/broken-model');
    const error = await failureOf(startHttpServer({ ...common, bentoIdentifier }));
    expect(error.code).toBe('worker_not_ready');
    expect(error.message).toContain('model.onnx is missing');
  });

  test('who awaits only ready gets the failure there', async () => {
    const error = await failureOf(startHttpServer({ ...common, port: -1 }).ready);
    expect(error.code).toBe('invalid_option');
  });
});
