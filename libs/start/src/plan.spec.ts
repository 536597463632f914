import {
  compileGrpcServerConfig,
  compileHttpServerConfig,
  compileRunnerServerConfig,
  compileServeConfig,
} from '@bentots/config';
import { parseRunnerMap } from '@bentots/runner-map';
import { batchable, type ServiceDescription } from '@bentots/service';
import { describe, expect, test } from 'vitest';

import { planGrpcServer } from './plan-grpc-server.js';
import { planHttpServer } from './plan-http-server.js';
import { planRunnerServer } from './plan-runner-server.js';
import { planServe } from './plan-serve.js';

const target = { identifier: 'service.ts:svc', workingDir: '/srv/linear' };
const machine = { cpus: 4, environment: {} };
const log = { level: 'info', format: 'text', access: true };

function runner(name: string, facts: Partial<ServiceDescription['runners'][number]> = {}) {
  const methods = [{ name: 'predict', ...batchable(), stream: false, concurrency: 1, blocks: true }];
  const plain = { name, runnable: 'Matmul', embedded: false, workers: 1, perWorkerEnv: [], timeoutMs: null };
  return { ...plain, methods, ...facts };
}

const service: ServiceDescription = {
  name: 'linear',
  version: null,
  description: null,
  runners: [
    runner('matmul', { workers: 2 }),
    runner('other', { workers: 'auto' }),
    runner('inside', { embedded: true }),
  ],
  apis: [],
  hasDeploymentHook: false,
};

const FOUR_THREADS = {
  UV_THREADPOOL_SIZE: '4',
  BENTOTS_NUM_THREADS: '4',
  OMP_NUM_THREADS: '4',
  OPENBLAS_NUM_THREADS: '4',
  MKL_NUM_THREADS: '4',
  VECLIB_MAXIMUM_THREADS: '4',
  NUMEXPR_NUM_THREADS: '4',
  RAYON_NUM_THREADS: '4',
  TF_NUM_INTEROP_THREADS: '4',
  TF_NUM_INTRAOP_THREADS: '4',
};

const entries = { runner: '/app/worker.js', dispatcher: '/app/dispatcher.js' };
const serveEntries = { ...entries, http: '/http.js', grpc: '/grpc.js' };

function runnerPlan(runnerName: string, more: Parameters<typeof compileRunnerServerConfig>[0] = {}) {
  const config = compileRunnerServerConfig({ runnerName, ...more }, {}, { isInContainer: true });
  return planRunnerServer({ config, target, service, entries, runtimeDir: '/tmp/run', machine });
}

describe('planRunnerServer', () => {
  test('is a dispatcher on a free loopback port, and on a private socket the workers that the runner asks for', () => {
    const plan = runnerPlan('matmul', { timeout: 1.5, timeoutGracefulShutdown: 5 });
    expect(plan).toEqual({
      name: 'runner-server:matmul',
      lameDuckMs: 0,
      sockets: [
        { name: 'runner', inherit: 'runner', host: '127.0.0.1', port: 0, backlog: 2048, accept: 'balanced' },
        { name: 'workers:matmul', path: '/tmp/run/matmul.workers.sock', mode: 0o600, accept: 'balanced' },
      ],
      watchers: [
        {
          name: 'runner:matmul',
          entry: '/app/worker.js',
          nodeArgs: ['--enable-source-maps'],
          numProcesses: 2,
          sockets: ['workers:matmul'],
          env: {
            ...Object.fromEntries(Object.keys(FOUR_THREADS).map((k) => [k, '2'])),
            UV_THREADPOOL_SIZE: '4',
          },
          cwd: '/srv/linear',
          data: { target, runnerName: 'matmul', socket: 'workers:matmul', log },
          priority: 0,
          readyTimeoutMs: 300_000,
          graceMs: 5000,
          restart: { onCrashLoop: 'stop' },
        },
        {
          name: 'dispatcher:matmul',
          entry: '/app/dispatcher.js',
          nodeArgs: ['--enable-source-maps'],
          numProcesses: 1,
          singleton: true,
          sockets: ['runner'],
          cwd: '/srv/linear',
          data: {
            service: { name: 'linear', version: null },
            runner: service.runners[0],
            watcher: 'runner:matmul',
            workersPath: '/tmp/run/matmul.workers.sock',
            socket: 'runner',
            timeoutMs: 1500,
            log,
          },
          priority: 5,
          readyTimeoutMs: 300_000,
          graceMs: 5000,
          restart: { onCrashLoop: 'stop' },
        },
      ],
    });
  });

  test.each([
    [1, 1],
    [4, 4],
    [64, 8],
  ])('auto workers on %i CPUs are %i', (cpus, workers) => {
    const config = compileRunnerServerConfig({ runnerName: 'other' }, {});
    const machine = { cpus, environment: {} };
    const facts = { config, target, service, entries, runtimeDir: '/tmp/run', machine };
    expect(planRunnerServer(facts).watchers[0]?.numProcesses).toBe(workers);
  });

  test('a thread hint that the operator has set is left alone', () => {
    const config = compileRunnerServerConfig({ runnerName: 'matmul' }, {});
    const environment = { OMP_NUM_THREADS: '7' };
    const plan = planRunnerServer({
      config,
      target,
      service,
      entries,
      runtimeDir: '/tmp/run',
      machine: { cpus: 8, environment },
    });
    expect(plan.watchers[0]?.env).not.toHaveProperty('OMP_NUM_THREADS');
    expect(plan.watchers[0]?.env).toMatchObject({ MKL_NUM_THREADS: '4' });
  });

  test('environments of single workers go along', () => {
    const perWorkerEnv = [{ CUDA_VISIBLE_DEVICES: '0' }, { CUDA_VISIBLE_DEVICES: '1' }];
    const gpu: ServiceDescription = { ...service, runners: [runner('gpu', { workers: 2, perWorkerEnv })] };
    const config = compileRunnerServerConfig({ runnerName: 'gpu' }, {});
    const plan = planRunnerServer({ config, target, service: gpu, entries, runtimeDir: '/r', machine });
    expect(plan.watchers[0]).toMatchObject({ numProcesses: 2, perWorkerEnv });
  });

  test('an unknown runner is refused with the names there are', () => {
    expect(() => runnerPlan('matmull')).toThrow(
      expect.objectContaining({
        code: 'runner_not_found',
        message: "service 'linear' has no runner 'matmull'; available: matmul, other",
        details: { runner: 'matmull', available: ['matmul', 'other'] },
      }),
    );
  });

  test('an embedded runner needs no server, and gets none', () => {
    expect(() => runnerPlan('inside')).toThrow(/^runner 'inside' of service 'linear' is embedded/);
  });
});

describe('the edges', () => {
  const runnerMap = parseRunnerMap({ matmul: ['tcp://10.0.0.1:4001', 'tcp://10.0.0.2:4001'] });
  const asTexts = { matmul: ['tcp://10.0.0.1:4001', 'tcp://10.0.0.2:4001'] };

  test('HTTP is one shared socket, and the map in the data of its workers', () => {
    const config = compileHttpServerConfig(
      { apiWorkers: 3, port: 0, maxConcurrency: 9, timeoutLameDuck: 2.5, onCrashLoop: 'keep' },
      {},
      { cpus: 4 },
    );
    const plan = planHttpServer({ config, target, service, entry: '/http.js', runnerMap });
    expect(plan).toEqual({
      name: 'http-api:linear',
      lameDuckMs: 2500,
      sockets: [
        { name: 'http', inherit: 'http', host: '127.0.0.1', port: 0, backlog: 2048, accept: 'balanced' },
      ],
      watchers: [
        {
          name: 'http_api',
          entry: '/http.js',
          nodeArgs: ['--enable-source-maps'],
          numProcesses: 3,
          sockets: ['http'],
          cwd: '/srv/linear',
          data: {
            target,
            runnerMap: asTexts,
            socket: 'http',
            timeoutMs: 60_000,
            graceMs: 30_000,
            metrics: { enabled: true, buckets: [...config.metrics.buckets] },
            log,
            keepAliveMs: 5000,
            maxBodyBytes: 104_857_600,
            maxConcurrency: 9,
          },
          priority: 10,
          readyTimeoutMs: 300_000,
          graceMs: 30_000,
          restart: { onCrashLoop: 'keep' },
        },
      ],
    });
  });

  test("a runner's certificates travel to its dispatcher, which faces the callers, and to nobody else", () => {
    const plan = runnerPlan('matmul', { sslCertfile: '/c.pem', sslKeyfile: '/k.pem', sslCertReqs: 'none' });
    const ssl = { certfile: '/c.pem', keyfile: '/k.pem', certReqs: 'none' };
    const told = plan.watchers.filter(({ data }) => JSON.stringify(data).includes('/k.pem'));
    expect(told.map(({ name, data }) => [name, data])).toEqual([
      ['dispatcher:matmul', expect.objectContaining({ ssl })],
    ]);
  });

  test('TLS settings travel to the workers', () => {
    const options = { sslCertfile: '/c.pem', sslKeyfile: '/k.pem', runnerSslCaCerts: '/ca.pem' };
    const config = compileHttpServerConfig(options, {}, { cpus: 1 });
    const plan = planHttpServer({ config, target, service, entry: '/http.js', runnerMap });
    expect(plan.watchers[0]?.data).toMatchObject({
      ssl: { certfile: '/c.pem', keyfile: '/k.pem' },
      runnerSsl: { caCerts: '/ca.pem' },
    });
  });

  test('CORS settings travel to the workers', () => {
    const config = compileHttpServerConfig({ corsOrigins: ['https://app.example'] }, {}, { cpus: 1 });
    const plan = planHttpServer({ config, target, service, entry: '/http.js', runnerMap });
    expect(plan.watchers[0]?.data).toMatchObject({ cors: { origins: ['https://app.example'] } });
  });

  test('gRPC is a balanced socket and a shared one for metrics', () => {
    const config = compileGrpcServerConfig(
      { port: 5000, metricsPort: 0, maxConcurrentStreams: 2, maxConcurrentRpcs: 8 },
      {},
      { cpus: 2 },
    );
    const plan = planGrpcServer({ config, target, service, entry: '/grpc.js', runnerMap });
    expect(plan.sockets).toEqual([
      { name: 'grpc', inherit: 'grpc', host: '127.0.0.1', port: 5000, backlog: 2048, accept: 'balanced' },
      { name: 'grpc_metrics', inherit: 'grpc_metrics', host: '127.0.0.1', port: 0, accept: 'shared' },
    ]);
    expect(plan.watchers[0]).toMatchObject({ numProcesses: 2, sockets: ['grpc', 'grpc_metrics'] });
    expect(plan.watchers[0]?.data).toMatchObject({
      socket: 'grpc',
      metricsSocket: 'grpc_metrics',
      runnerMap: asTexts,
      maxConcurrentStreams: 2,
      maxConcurrentRpcs: 8,
    });
  });

  test('gRPC without metrics has one socket', () => {
    const config = compileGrpcServerConfig({ metrics: false }, {}, { cpus: 1 });
    const plan = planGrpcServer({ config, target, service, entry: '/grpc.js', runnerMap });
    expect(plan.sockets.map((socket) => socket.name)).toEqual(['grpc']);
    expect(plan.watchers[0]?.data).not.toHaveProperty('metricsSocket');
  });
});

describe('planServe', () => {
  function servePlan(options: Parameters<typeof compileServeConfig>[0] = {}, runtimeDir = '/tmp/run') {
    const config = compileServeConfig(options, {}, { cpus: 2 });
    return planServe({ config, target, service, entries: serveEntries, runtimeDir, machine });
  }

  test('in development one waits beside each worker, and all are replaced at once', () => {
    const plan = servePlan({ reload: true });
    expect(plan.watchers).toHaveLength(6);
    for (const watcher of plan.watchers) expect(watcher.spare).toBe(true);
    expect(plan.reloadTogether).toBe(true);
    expect(plan.watchers.at(-1)).toMatchObject({ name: 'grpc_api', numProcesses: 1 });
    expect(servePlan().watchers[0]).not.toHaveProperty('spare');
  });

  test('puts every runner that is not embedded on a private unix socket, and maps both edges to it', () => {
    const plan = servePlan();
    expect(plan.sockets.filter((socket) => socket.path !== undefined)).toEqual([
      { name: 'runner:matmul', path: '/tmp/run/matmul.sock', mode: 0o600, backlog: 2048, accept: 'balanced' },
      { name: 'runner:other', path: '/tmp/run/other.sock', mode: 0o600, backlog: 2048, accept: 'balanced' },
      { name: 'workers:matmul', path: '/tmp/run/matmul.workers.sock', mode: 0o600, accept: 'balanced' },
      { name: 'workers:other', path: '/tmp/run/other.workers.sock', mode: 0o600, accept: 'balanced' },
    ]);
    const runnerMap = { matmul: ['unix:///tmp/run/matmul.sock'], other: ['unix:///tmp/run/other.sock'] };
    expect(plan.watchers.map((watcher) => watcher.name)).toEqual([
      'runner:matmul',
      'dispatcher:matmul',
      'runner:other',
      'dispatcher:other',
      'http_api',
      'grpc_api',
    ]);
    expect(plan.watchers[4]?.data).toMatchObject({ runnerMap });
    expect(plan.watchers[5]?.data).toMatchObject({ runnerMap });
  });

  test('starts models first, then their dispatchers, then the edges, and so stops them in the reverse order', () => {
    const started = servePlan().watchers.toSorted((a, b) => (a.priority ?? 0) - (b.priority ?? 0));
    const kinds = started.map(({ name }) => name.split(':')[0]);
    expect(kinds).toEqual(['runner', 'runner', 'dispatcher', 'dispatcher', 'http_api', 'grpc_api']);
  });

  test('each worker serves a socket of the plan', () => {
    const plan = servePlan();
    const known = plan.sockets.map((socket) => socket.name);
    for (const watcher of plan.watchers) {
      expect(known).toEqual(expect.arrayContaining([...(watcher.sockets ?? [])]));
      expect(watcher.sockets).toContain(watcher.data && Reflect.get(Object(watcher.data), 'socket'));
    }
  });

  test('without gRPC it is the HTTP edge alone, and gRPC metrics have a port only when asked', () => {
    expect(servePlan({ grpc: false }).watchers.map((watcher) => watcher.name)).not.toContain('grpc_api');
    expect(servePlan().sockets.map((socket) => socket.name)).not.toContain('grpc_metrics');
    expect(servePlan({ metricsPort: 0 }).sockets.map((socket) => socket.name)).toContain('grpc_metrics');
  });

  test('a socket path that the system would cut off is refused', () => {
    expect(() => servePlan({}, `/tmp/${'x'.repeat(120)}`)).toThrow(
      expect.objectContaining({ code: 'address_unavailable', message: expect.stringContaining('TMPDIR') }),
    );
  });
});

test('what the options say about the end of workers and server holds for its whole tree', () => {
  const limits = { maxRequests: 100, maxWorkerAge: 60, maxWorkerMemory: 1, maxWorkers: 3 };
  const said = { timeoutLameDuck: 3, onCrashLoop: 'keep', ...limits } as const;
  const config = compileServeConfig(said, {}, { cpus: 2 });
  const plan = planServe({
    config,
    target,
    service,
    entries: serveEntries,
    runtimeDir: '/run/x',
    machine,
  });
  const grpcConfig = compileGrpcServerConfig(said, {}, { cpus: 1 });
  const runnerMap = new Map();
  const grpc = planGrpcServer({ config: grpcConfig, target, service, entry: '/grpc.js', runnerMap });
  for (const { lameDuckMs, watchers } of [plan, grpc, runnerPlan('matmul', said)]) {
    expect(lameDuckMs).toBe(3000);
    expect(new Set(watchers.map((watcher) => watcher.restart?.onCrashLoop))).toEqual(new Set(['keep']));
    for (const watcher of watchers) {
      const { numProcesses: min, singleton } = watcher;
      expect(watcher.scaling).toEqual(
        min < 3 && !singleton ? { min, max: 3, maxQueueDelayMs: 250 } : undefined,
      );
      expect(watcher).toMatchObject({ maxRequests: 100, maxAgeMs: 60_000, maxRssBytes: 1_048_576 });
    }
  }
});
