import { resolve } from 'node:path';

import { ServeError } from '@bentots/errors';
import { describe, expect, test } from 'vitest';

import {
  compileGrpcServerConfig,
  compileHttpServerConfig,
  compileRunnerServerConfig,
  compileServeConfig,
} from './compile-config.js';
import { controlFolders } from './compile-control-socket.js';
import { COMMAND_DEFAULTS } from './command-defaults.js';
import type { HttpServerOptions } from './options.js';

const CPUS = 4;

function errorOf(act: () => unknown): ServeError {
  try {
    act();
  } catch (error) {
    if (error instanceof ServeError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

/** As a user of plain JavaScript would call it. */
function http(options: Record<string, unknown>, env: Record<string, string> = {}) {
  return compileHttpServerConfig(options as HttpServerOptions, env, { cpus: CPUS });
}

describe('defaults', () => {
  test('of the HTTP server', () => {
    expect(compileHttpServerConfig({}, {}, { cpus: CPUS, isInContainer: false })).toEqual({
      bentoIdentifier: '.',
      workingDir: undefined,
      host: '127.0.0.1',
      port: 0,
      backlog: 2048,
      graceMs: 30_000,
      lameDuckMs: 0,
      onCrashLoop: 'keep',
      recycle: {},
      log: { level: 'info', format: 'text', access: true },
      control: { folders: controlFolders({}) },
      reload: false,
      runnerMap: {},
      runnerSsl: undefined,
      apiWorkers: CPUS,
      timeoutMs: 60_000,
      ssl: undefined,
      keepAliveMs: 5000,
      maxBodyBytes: 104_857_600,
      maxConcurrency: undefined,
      cors: undefined,
      metrics: {
        enabled: true,
        buckets: [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
      },
    });
  });

  test('of the gRPC server: free ports, metrics beside it on the same host', () => {
    const config = compileGrpcServerConfig({ host: '::1' }, {}, { cpus: CPUS });
    expect(config).toMatchObject({
      port: 0,
      protocolVersion: 'v1',
      reflection: false,
      channelz: false,
      maxConcurrentStreams: undefined,
      maxConcurrentRpcs: undefined,
      metrics: { enabled: true, host: '::1', port: 0 },
    });
  });

  test('of the runner server: a free port and the time limit of the runner itself', () => {
    const config = compileRunnerServerConfig({ runnerName: 'matmul' }, {});
    expect(config).toMatchObject({ host: '127.0.0.1', port: undefined, timeoutMs: undefined });
  });

  test('of serve: two edges that share all but their free ports, and no metrics port', () => {
    const { http, grpc } = compileServeConfig({ apiWorkers: 2, timeout: 7 }, {}, { cpus: CPUS });
    expect(http).toMatchObject({ port: 0, apiWorkers: 2, timeoutMs: 7000, runnerMap: {} });
    expect(grpc).toMatchObject({
      port: 0,
      apiWorkers: 2,
      timeoutMs: 7000,
      metrics: { port: undefined },
    });
  });

  test('serve without gRPC has no gRPC edge', () => {
    expect(compileServeConfig({ grpc: false }, {}, { cpus: CPUS }).grpc).toBeUndefined();
  });
});

describe('precedence', () => {
  test('an option wins over the environment, which wins over the default', () => {
    const env = { BENTOTS_PORT: '4000', BENTOTS_HOST: '0.0.0.0' };
    expect(http({ port: 5000 }, env)).toMatchObject({ port: 5000, host: '0.0.0.0', backlog: 2048 });
  });

  test('an explicit undefined and an empty variable count as absent', () => {
    expect(http({ port: undefined, backlog: undefined }, { BENTOTS_PORT: '' })).toMatchObject({
      port: 0,
      backlog: 2048,
    });
  });

  test('the ports of the commands are weaker than option and environment, and stronger than a free port', () => {
    const { http, grpc, serve } = COMMAND_DEFAULTS;
    const metricsPort = '4001';
    expect(compileHttpServerConfig({}, {}, { defaults: http }).port).toBe(3000);
    expect(compileHttpServerConfig({ port: 0 }, {}, { defaults: http }).port).toBe(0);
    expect(
      compileGrpcServerConfig({}, { BENTOTS_METRICS_PORT: metricsPort }, { defaults: grpc }),
    ).toMatchObject({
      port: 50_051,
      metrics: { port: 4001 },
    });
    expect(compileGrpcServerConfig({}, {}, { defaults: grpc }).metrics.port).toBe(3001);
    expect(compileServeConfig({ grpcPort: 7 }, { BENTOTS_PORT: '0' }, { defaults: serve })).toMatchObject({
      http: { port: 0 },
      grpc: { port: 7, metrics: { port: undefined } },
    });
    expect(compileServeConfig({}, {}, { defaults: serve })).toMatchObject({
      http: { port: 3000 },
      grpc: { port: 50_051, metrics: { port: undefined } },
    });
  });

  test.each([
    ['BENTOTS_SERVICE', 'service.ts:svc', { bentoIdentifier: 'service.ts:svc' }],
    ['BENTOTS_WORKING_DIR', '/srv', { workingDir: '/srv' }],
    ['BENTOTS_PORT', '0', { port: 0 }],
    ['BENTOTS_TIMEOUT', '0.25', { timeoutMs: 250 }],
    ['BENTOTS_TIMEOUT_KEEP_ALIVE', '75', { keepAliveMs: 75_000 }],
    ['BENTOTS_TIMEOUT_GRACEFUL_SHUTDOWN', '3', { graceMs: 3000 }],
    ['BENTOTS_TIMEOUT_LAME_DUCK', '0', { lameDuckMs: 0 }],
    ['BENTOTS_TIMEOUT_LAME_DUCK', '2.5', { lameDuckMs: 2500 }],
    ['BENTOTS_ON_CRASH_LOOP', 'keep', { onCrashLoop: 'keep' }],
    ['BENTOTS_MAX_REQUESTS', '1000', { recycle: { maxRequests: 1000 } }],
    ['BENTOTS_MAX_WORKER_AGE', '3600', { recycle: { maxAgeMs: 3_600_000 } }],
    ['BENTOTS_MAX_WORKERS', '8', { maxWorkers: 8 }],
    ['BENTOTS_MAX_WORKER_MEMORY', '512', { recycle: { maxRssBytes: 536_870_912 } }],
    ['BENTOTS_API_WORKERS', '3', { apiWorkers: 3 }],
    ['BENTOTS_RELOAD', 'true', { reload: true, apiWorkers: 1 }],
    ['BENTOTS_LOG_FORMAT', 'json', { log: { level: 'info', format: 'json', access: true } }],
    ['BENTOTS_ACCESS_LOG', 'off', { log: { level: 'info', format: 'text', access: false } }],
    ['BENTOTS_METRICS', 'false', { metrics: { enabled: false } }],
    ['BENTOTS_METRICS_BUCKETS', '0.1, 1 10', { metrics: { buckets: [0.1, 1, 10] } }],
    ['BENTOTS_SERVE_RUNNER_MAP', 'a=tcp://h:1', { runnerMap: 'a=tcp://h:1' }],
    ['BENTOTS_SERVE_REMOTE_RUNNER', '{"a":"tcp://h:1"}', { runnerMap: '{"a":"tcp://h:1"}' }],
  ])('%s=%s is understood', (name, text, expected) => {
    expect(http({}, { [name]: text })).toMatchObject(expected);
  });
});

describe('a wrong value is refused with its name, itself and what was expected', () => {
  test.each([
    [{ port: 70_000 }, `option 'port' is 70000; expected a port from 1 to 65535, or 0 for a free one`],
    [{ port: '80' }, `option 'port' is "80"; expected a port from 1 to 65535, or 0 for a free one`],
    [{ port: 1.5 }, `option 'port' is 1.5; expected a port from 1 to 65535, or 0 for a free one`],
    [{ timeout: 0 }, `option 'timeout' is 0; expected seconds: a number greater than 0, at most 2147483`],
    [
      { timeout: Number.NaN },
      `option 'timeout' is null; expected seconds: a number greater than 0, at most 2147483`,
    ],
    [{ apiWorkers: 0 }, `option 'apiWorkers' is 0; expected a whole number from 1 to 1024`],
    [
      { host: 'http://x' },
      `option 'host' is "http://x"; expected a host name or IP address, without scheme, port or brackets`,
    ],
    [{ logLevel: 'loud' }, `option 'logLevel' is "loud"; expected one of debug, info, warn, error, silent`],
    [{ sslVersion: 17 }, `option 'sslVersion' is 17; expected one of TLSv1.2, TLSv1.3`],
    [{ metricsBuckets: [1, 1] }, `option 'metricsBuckets' is [1,1]; expected growing numbers greater than 0`],
    [{ accessLog: 'yes' }, `option 'accessLog' is "yes"; expected true or false`],
    [{ maxBodyBytes: 10n }, `option 'maxBodyBytes' is 10; expected a whole number, 1 or more`],
  ])('%o', (options, message) => {
    const error = errorOf(() => http(options));
    expect(error).toMatchObject({ code: 'invalid_option', message });
    expect(error.details).toMatchObject({ option: Object.keys(options)[0] });
  });

  test.each(['abc', '0x50', '1e3', ' '])('BENTOTS_PORT=%j names the variable', (text) => {
    const error = errorOf(() => http({}, { BENTOTS_PORT: text }));
    expect(error.message).toBe(
      `option 'port' is ${JSON.stringify(text)} (from BENTOTS_PORT); expected a port from 1 to 65535, or 0 for a free one`,
    );
    expect(error.details).toMatchObject({ option: 'port', env: 'BENTOTS_PORT' });
  });

  test('an unknown option is named beside the known ones', () => {
    const error = errorOf(() => http({ prot: 80 }));
    expect(error.code).toBe('invalid_option');
    expect(error.message).toMatch(/^unknown option 'prot'; options are: .*\bport\b/);
  });

  test('a password is never shown', () => {
    const error = errorOf(() => http({ sslKeyfilePassword: ['s3cret'] }));
    expect(error.message).toBe(`option 'sslKeyfilePassword' is (hidden); expected a password`);
  });

  test('a runner server needs the name of its runner', () => {
    const error = errorOf(() => compileRunnerServerConfig({}, {}));
    expect(error.code).toBe('invalid_option');
    expect(error.message).toContain("option 'runnerName' is missing");
    expect(error.message).toContain('BENTOTS_SERVE_RUNNER_NAME');
  });
});

describe('TLS', () => {
  test('files become absolute, the rest stays', () => {
    const config = http({ sslCertfile: 'c.pem', sslKeyfile: '/k.pem', sslCertReqs: 'required' });
    expect(config.ssl).toEqual({ certfile: resolve('c.pem'), keyfile: '/k.pem', certReqs: 'required' });
  });

  test('a lone option is kept, so that the combination can be refused', () => {
    expect(http({ sslKeyfile: '/k.pem' }).ssl).toEqual({ keyfile: '/k.pem' });
  });

  test('the gRPC server has the files only', () => {
    const config = compileGrpcServerConfig(
      { sslCertfile: '/c.pem', sslCaCerts: '/ca.pem' },
      {},
      { cpus: CPUS },
    );
    expect(config.ssl).toEqual({ certfile: '/c.pem', caCerts: '/ca.pem' });
  });
});

describe('TLS towards runners', () => {
  test('is said by options, or by variables, for both edges', () => {
    const env = { BENTOTS_RUNNER_SSL_CA_CERTS: '/env/ca.pem', BENTOTS_RUNNER_SSL_SERVER_NAME: 'runner.test' };
    const options = { runnerSslCertfile: 'c.pem', runnerSslKeyfile: '/k.pem', runnerSslKeyfilePassword: 'p' };
    const expected = {
      caCerts: '/env/ca.pem',
      certfile: resolve('c.pem'),
      keyfile: '/k.pem',
      keyfilePassword: 'p',
      serverName: 'runner.test',
    };
    expect(http(options, env).runnerSsl).toEqual(expected);
    expect(compileGrpcServerConfig(options, env, { cpus: CPUS }).runnerSsl).toEqual(expected);
  });

  test('is none of the all-in-one server, whose runners are on unix sockets', () => {
    const config = compileServeConfig({}, { BENTOTS_RUNNER_SSL_CA_CERTS: '/ca.pem' }, { cpus: CPUS });
    expect([config.http.runnerSsl, config.grpc?.runnerSsl]).toEqual([undefined, undefined]);
  });

  test('shows no password in an error', () => {
    expect(errorOf(() => http({ runnerSslKeyfilePassword: 7 })).message).toContain('(hidden)');
  });
});

test('a configuration is frozen to its depths, and stays itself through JSON', () => {
  const config = http({ maxConcurrency: 3, runnerMap: { a: ['tcp://h:1'] } });
  expect(Object.isFrozen(config)).toBe(true);
  expect(Object.isFrozen(config.log)).toBe(true);
  expect(Object.isFrozen(config.metrics.buckets)).toBe(true);
  expect({ ...config, ...JSON.parse(JSON.stringify(config)) }).toEqual(config);
});
