import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server as NetServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { get, postJson } from './src/clients.js';
import { type Ended, runCommand, startServer, stopAll } from './src/topology.js';

const linear = 'examples/linear';
/** The runner server's own door for people and probes. */
const httpOf = (url: string): string => url.replace('tcp:', 'http:');
const dir = mkdtempSync(join(tmpdir(), 'bentots-e2e-'));
let taken: NetServer;
let takenPort: string;

beforeAll(async () => {
  taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  takenPort = String((taken.address() as { port: number }).port);
});

afterAll(() => {
  taken.close();
  rmSync(dir, { recursive: true });
});

afterEach(stopAll);

/** A command that cannot start: it must end by itself with this exit code and one error line that holds all the words. */
function expectRefused(ended: Ended, code: number, ...words: string[]): void {
  const at = ended.output.search(/^error: /m);
  // A log line may hold a stack; what is said to the user does not.
  expect(ended.output.slice(at)).not.toMatch(/^\s+at /m);
  const line = /^error: .*$/m.exec(ended.output)?.[0] ?? ended.output;
  for (const word of words) expect(line).toContain(word);
  expect(ended.code).toBe(code);
}

describe('what cannot start says why, and exits with the documented code', () => {
  test('an unknown runner: the available ones are named', async () => {
    expectRefused(
      await runCommand(['start-runner-server', linear, '--runner-name', 'nobody']),
      4,
      'nobody',
      'matmul',
    );
  });

  test('a runner map that lacks a runner: both sets are named', async () => {
    const ended = await runCommand([
      'start-http-server',
      'examples/read-digits',
      '--remote-runner',
      'classifier=tcp://127.0.0.1:1',
    ]);
    expectRefused(ended, 4, 'segmenter', 'classifier');
  });

  test('a malformed address: the entry is named', async () => {
    const ended = await runCommand([
      'start-http-server',
      linear,
      '--remote-runner',
      'matmul=ftp://127.0.0.1:1',
    ]);
    expectRefused(ended, 4, 'matmul', 'ftp://127.0.0.1:1');
  });

  test('the runner map as JSON in the environment is read alike by both API servers', async () => {
    const env = { BENTOTS_SERVE_RUNNER_MAP: '{"other":"tcp://127.0.0.1:1"}' };
    for (const command of ['start-http-server', 'start-grpc-server']) {
      expectRefused(await runCommand([command, linear], env), 4, 'matmul', 'other');
    }
  });

  test('a service that is not there', async () => {
    expectRefused(await runCommand(['serve', 'no-such-service.ts']), 3, 'no-such-service.ts');
  });

  test('a service with a syntax error: file and line are named', async () => {
    writeFileSync(join(dir, 'broken.ts'), 'export const a = 1;\nexport const = 2;\n');
    expectRefused(await runCommand(['serve', 'broken.ts', '--working-dir', dir]), 3, 'broken.ts:2');
  });

  test('a service that throws on import: file, line and its message are named', async () => {
    writeFileSync(join(dir, 'throws.mjs'), '\n\nthrow new Error("no weights today");\n');
    expectRefused(
      await runCommand(['serve', 'throws.mjs', '--working-dir', dir]),
      3,
      'throws.mjs:3',
      'no weights today',
    );
  });

  test.each(['start-http-server', 'start-grpc-server'])('%s on a port in use', async (command) => {
    const args = [command, linear, '--port', takenPort, '--remote-runner', 'matmul=tcp://127.0.0.1:1'];
    expectRefused(await runCommand(args), 5, `127.0.0.1:${takenPort}`);
  });

  test('a second gRPC server on the port of the first', async () => {
    const runner = await startServer(['start-runner-server', linear, '--runner-name', 'matmul']);
    const args = [
      'start-grpc-server',
      linear,
      '--metrics-port',
      '0',
      '--remote-runner',
      `matmul=${runner.url}`,
    ];
    const first = await startServer([...args, '--port', '0']);
    expectRefused(await runCommand([...args, '--port', new URL(first.url).port]), 5, new URL(first.url).port);
  });

  test('a host that is not this machine', async () => {
    expectRefused(
      await runCommand(['serve', linear, '--host', '192.0.2.1', '--port', '0', '--grpc-port', '0']),
      5,
      '192.0.2.1',
    );
  });

  test('a certificate that cannot be read', async () => {
    const files = ['--ssl-certfile', '/nowhere/cert.pem', '--ssl-keyfile', '/nowhere/key.pem'];
    const args = ['start-http-server', linear, '--remote-runner', 'matmul=tcp://127.0.0.1:1', ...files];
    expectRefused(await runCommand(args), 6, '/nowhere/cert.pem');
  });

  test('a model that does not load: the command ends, it does not respawn for ever', async () => {
    writeFileSync(
      join(dir, 'no-model.mjs'),
      `import { createRunner, method, Service } from '${new URL('../libs/service/dist/index.js', import.meta.url).href}';
       class Broken { static methods = { run: method() }; constructor() { throw new RangeError('the weights are cut short'); } run() {} }
       export const service = new Service('no_model', { runners: [createRunner(Broken, { name: 'broken' })] });`,
    );
    const args = ['start-runner-server', 'no-model.mjs', '--working-dir', dir, '--runner-name', 'broken'];
    expectRefused(await runCommand(args), 7, 'broken', 'RangeError', 'the weights are cut short');
  });

  test('--bind with another scheme than tcp', async () => {
    const args = [
      'start-http-server',
      linear,
      '--bind',
      'udp://127.0.0.1:1',
      '--remote-runner',
      'matmul=tcp://127.0.0.1:1',
    ];
    expectRefused(await runCommand(args), 2, '--bind', 'udp://127.0.0.1:1', 'tcp://');
  });

  test('a wrong option: name, value and what was expected', async () => {
    expectRefused(await runCommand(['serve', linear, '--port', '70000']), 2, 'port', '70000');
  });
});

describe('what starts where other servers fail', () => {
  test('an IPv6 host', async () => {
    const { url } = await startServer([
      'serve',
      'examples/hello',
      '--host',
      '::1',
      '--port',
      '0',
      '--grpc-port',
      '0',
    ]);
    expect(url).toMatch(/^http:\/\/\[::1\]:\d+$/);
    expect((await get(`${url}/livez`)).status).toBe(200);
  });

  test('an HTTP server whose runner is away: alive, not ready, and the rest of its APIs answer', async () => {
    const args = ['start-http-server', linear, '--port', '0', '--remote-runner', 'matmul=tcp://127.0.0.1:1'];
    const { url } = await startServer(args);
    expect((await get(`${url}/livez`)).status).toBe(200);
    const ready = await get(`${url}/readyz`);
    expect(ready.status).toBe(503);
    expect(ready.text).toContain('matmul');
    expect((await postJson(`${url}/hello`, {})).status).toBe(200);
    expect((await postJson(`${url}/predict`, [1, 2, 3, 4])).status).toBe(503);
  });

  test('a runner map entry with a second = in its address', async () => {
    const args = [
      'start-http-server',
      linear,
      '--port',
      '0',
      '--remote-runner',
      `matmul=unix://${dir}/a=b.sock`,
    ];
    const { url } = await startServer(args);
    expect((await get(`${url}/readyz`)).text).toContain('matmul');
  });

  test('a runner whose model computes for long is ready all the while, and gives up on time', async () => {
    const runner = await startServer(['start-runner-server', linear, '--runner-name', 'matmul']);
    const { url } = await startServer([
      'start-http-server',
      linear,
      '--port',
      '0',
      '--remote-runner',
      `matmul=${runner.url}`,
    ]);
    expect((await get(`${url}/readyz`)).status).toBe(200);
    const end = { is: false };
    const busy = postJson(`${url}/slow`, { s: 8, busy: true }).finally(() => (end.is = true));
    await expect
      .poll(async () => (await get(`${httpOf(runner.url)}/metrics`)).text)
      .toMatch(/bentoml_runner_request_in_progress\{endpoint="\/slow".*\} 1/);
    const late = await postJson(`${url}/predict`, [1, 2, 3, 4], { 'x-request-timeout': '0.5' });
    expect(late.status).toBe(504);
    expect((await get(`${url}/readyz`)).status).toBe(200);
    expect((await get(`${httpOf(runner.url)}/readyz`)).status).toBe(200);
    expect(end.is).toBe(false);
    expect((await busy).status).toBe(200);
  });

  test('two trees on one host: the metrics of one never touch the other', async () => {
    const one = await startServer(['serve', 'examples/hello', '--port', '0', '--grpc-port', '0']);
    await postJson(`${one.url}/hello`, {});
    const counted = /bentoml_api_server_request_total\{[^}]*endpoint="\/hello"[^}]*\} 1/;
    await expect.poll(async () => (await get(`${one.url}/metrics`)).text).toMatch(counted);
    const two = await startServer(['serve', 'examples/hello', '--port', '0', '--grpc-port', '0']);
    expect((await get(`${two.url}/metrics`)).text).not.toContain('endpoint="/hello"');
    expect((await get(`${one.url}/metrics`)).text).toMatch(counted);
  });
});
