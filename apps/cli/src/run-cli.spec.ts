import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

import { afterAll, describe, expect, test } from 'vitest';

const bin = fileURLToPath(new URL('../bin/bentots.mjs', import.meta.url));
const linear = fileURLToPath(new URL('../../../examples/linear', import.meta.url));
const temporary = mkdtempSync(join(tmpdir(), 'bentots-cli-'));

afterAll(() => rmSync(temporary, { recursive: true }));

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the real command to its end. */
async function bentots(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  const child = spawn(process.execPath, [bin, ...args], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
  });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  return { code, stdout, stderr };
}

/** Reads on until a line matches. */
async function lineWith(output: Readable, pattern: RegExp): Promise<RegExpExecArray> {
  const lines = createInterface({ input: output });
  for await (const line of lines) {
    const match = pattern.exec(line);
    if (match === null) continue;
    output.resume(); // what follows must not fill the pipe
    return match;
  }
  throw new Error(`the output ended without ${pattern}`);
}

const MAP = ['--remote-runner', 'matmul=tcp://127.0.0.1:4001'];

describe('a mistake is one line that says what is wrong, and an exit code', () => {
  test.each<[string, string[], Record<string, string>, number, string]>([
    [
      'unknown runner',
      ['start-runner-server', linear, '--runner-name', 'mat'],
      {},
      4,
      "error: service 'linear' has no runner 'mat'; available: matmul\n",
    ],
    [
      'no runner name',
      ['start-runner-server', linear],
      {},
      2,
      "error: option 'runnerName' is missing; expected the name of a runner of the service (or BENTOTS_SERVE_RUNNER_NAME)\n",
    ],
    [
      'runner that the map lacks',
      ['start-http-server', linear, '--remote-runner', 'other=tcp://127.0.0.1:1'],
      {},
      4,
      "error: the runner map lacks 'matmul': service 'linear' needs 'matmul', the map has 'other'; add 'matmul=tcp://host:port'\n",
    ],
    [
      'malformed entry of the map',
      ['start-grpc-server', linear, '--remote-runner', 'matmul=http://127.0.0.1:1'],
      {},
      4,
      "error: runner map entry 'matmul=http://127.0.0.1:1': ",
    ],
    [
      'malformed JSON in the variable',
      ['start-http-server', linear],
      { BENTOTS_SERVE_RUNNER_MAP: '{"matmul":' },
      4,
      'error: runner map is not valid JSON',
    ],
    [
      'missing map file',
      ['start-http-server', linear, '--runner-map', '@/no/map.json'],
      {},
      4,
      'error: runner map "@/no/map.json" is neither name=tcp://host:port entries nor JSON, and no file: ENOENT\n',
    ],
    [
      'missing service file',
      ['serve', './no-service.ts'],
      {},
      3,
      "error: there is no module './no-service.ts'",
    ],
    [
      'unreadable certificate',
      ['start-http-server', linear, ...MAP, '--ssl-certfile', '/no/c.pem', '--ssl-keyfile', '/no/k.pem'],
      {},
      6,
      "error: certificate '/no/c.pem' cannot be read",
    ],
    [
      'wrong number',
      ['serve', linear, '--port', 'abc'],
      {},
      2,
      `error: option 'port' is "abc"; expected a port from 1 to 65535, or 0 for a free one\n`,
    ],
    [
      'wrong variable',
      ['serve', linear],
      { BENTOTS_API_WORKERS: '0' },
      2,
      `error: option 'apiWorkers' is 0 (from BENTOTS_API_WORKERS); expected a whole number from 1 to 1024\n`,
    ],
    [
      'unknown flag',
      ['serve', '--prot', '1'],
      {},
      2,
      "error: unknown option '--prot'\n(Did you mean --port?)\n",
    ],
    ['unknown command', ['server'], {}, 2, "error: unknown command 'server'\n"],
    [
      'malformed --bind',
      ['start-http-server', linear, ...MAP, '--bind', '127.0.0.1:1'],
      {},
      2,
      "error: option '--bind <tcp://host:port>' argument '127.0.0.1:1' is invalid. Expected tcp://host:port.\n",
    ],
  ])('%s', async (_, args, env, code, message) => {
    const outcome = await bentots(args, env);
    expect(outcome.stderr.slice(0, message.length)).toBe(message);
    expect(outcome.stderr).not.toMatch(/\n +at /);
    expect(outcome).toMatchObject({ code, stdout: '' });
  });

  test('a port in use is told before any worker starts', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = String(typeof address === 'object' && address?.port);
    const commands = [
      ['start-http-server', linear, ...MAP, '--port', port],
      ['start-grpc-server', linear, ...MAP, '--port', port, '--no-metrics'],
      ['start-runner-server', linear, '--runner-name', 'matmul', '--port', port],
      ['serve', linear, '--port', port, '--no-grpc'],
    ];
    for (const command of commands) {
      const { code, stderr } = await bentots([...command, '-q']);
      expect({ code, stderr }).toEqual({ code: 5, stderr: expect.stringContaining(`127.0.0.1:${port}`) });
    }
    server.close();
  });

  test('--verbose adds the stack', async () => {
    const { stderr } = await bentots(['serve', './no-service.ts', '--verbose']);
    expect(stderr).toMatch(/^error: there is no module[^]*\n +at /);
  });
});

describe('--dry-run', () => {
  async function planOf(args: string[], env: Record<string, string> = {}) {
    const { code, stdout, stderr } = await bentots([...args, '--dry-run'], env);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return JSON.parse(stdout);
  }

  test('prints the plan of the tree, with the worker programs of the apps', async () => {
    const plan = await planOf(['serve', linear, '--port', '8080', '--api-workers', '3']);
    expect(plan.name).toBe('serve:linear');
    expect(plan.sockets).toContainEqual(expect.objectContaining({ name: 'http', port: 8080 }));
    expect(plan.watchers.map((w: { name: string }) => w.name)).toEqual([
      'runner:matmul',
      'dispatcher:matmul',
      'http_api',
      'grpc_api',
    ]);
    expect(plan.watchers[2]).toMatchObject({ numProcesses: 3, cwd: linear });
    expect(plan.watchers[2].entry).toMatch(/http-api\/dist\/worker\.js$/);
  });

  test('reads map and runner name in every form to the same plan', async () => {
    const file = join(temporary, 'map.json');
    writeFileSync(file, '{"matmul":"tcp://127.0.0.1:4001"}');
    const command = ['start-http-server', linear];
    const plans = await Promise.all([
      planOf([...command, ...MAP]),
      planOf([...command, '--runner-map', '{"matmul":"tcp://127.0.0.1:4001"}']),
      planOf([...command, '--runner-map', file]),
      planOf(command, { BENTOTS_SERVE_RUNNER_MAP: `@${file}` }),
      planOf(['start-http-server'], {
        BENTOTS_SERVICE: linear,
        BENTOTS_SERVE_REMOTE_RUNNER: 'matmul=tcp://127.0.0.1:4001',
      }),
    ]);
    expect(plans[0].watchers[0].data.runnerMap).toEqual({ matmul: ['tcp://127.0.0.1:4001'] });
    for (const plan of plans) expect(plan).toEqual(plans[0]);
  });

  test('without a port the well-known ones are planned, and a free one for a runner', async () => {
    const portsOf = async (args: string[], env?: Record<string, string>) => {
      const plan: { sockets: { name: string; port?: number }[] } = await planOf(args, env);
      return Object.fromEntries(plan.sockets.map((socket) => [socket.name, socket.port]));
    };
    const runner = ['start-runner-server', linear, '--runner-name', 'matmul'];
    expect(await portsOf(['serve', linear])).toMatchObject({ http: 3000, grpc: 50_051 });
    expect(await portsOf(['start-http-server', linear, ...MAP])).toEqual({ http: 3000 });
    expect(await portsOf(['start-grpc-server', linear, ...MAP])).toEqual({
      grpc: 50_051,
      grpc_metrics: 3001,
    });
    expect(await portsOf(runner)).toEqual({ runner: 0 });
    const free = { BENTOTS_PORT: '0', BENTOTS_METRICS_PORT: '0' };
    expect(await portsOf(['start-grpc-server', linear, ...MAP], free)).toEqual({ grpc: 0, grpc_metrics: 0 });
  });

  test.each([['start-grpc-server', ...MAP], ['serve']])(
    '%s takes --enable-reflection',
    async (command, ...map) => {
      const plan = await planOf([command, linear, ...map, '--enable-reflection']);
      const grpc = plan.watchers.find((watcher: { name: string }) => watcher.name === 'grpc_api');
      expect(grpc.data).toMatchObject({ reflection: true, channelz: false });
    },
  );

  test('a password is not printed', async () => {
    const { stdout, stderr } = await bentots(['start-http-server', linear, ...MAP, '--dry-run'], {
      BENTOTS_SSL_KEYFILE_PASSWORD: 's3cret',
    });
    expect(stdout + stderr).not.toContain('s3cret');
  });
});

test.each(['SIGINT', 'SIGTERM', 'SIGQUIT'] as const)(
  'a server that is stopped by %s exits with 0, its address is free again',
  async (signal) => {
    const args = ['start-runner-server', linear, '--runner-name', 'matmul'];
    const child = spawn(process.execPath, [bin, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    const exited = once(child, 'exit');
    const url = await lineWith(child.stdout, /is ready on tcp:\/\/127\.0\.0\.1:(\d+)/);
    const port = Number(url[1]);
    child.kill(signal);
    expect(await exited).toEqual([0, null]);
    const server = createServer().listen(port, '127.0.0.1');
    await once(server, 'listening');
    server.close();
  },
);

test('every command has help on standard output, with variables and defaults, and exit code 0', async () => {
  for (const name of ['serve', 'start-http-server', 'start-grpc-server', 'start-runner-server']) {
    const { code, stdout } = await bentots([name, '--help']);
    expect(code).toBe(0);
    for (const fact of ['--dry-run', 'BENTOTS_PORT', '(default: 127.0.0.1)', 'Examples:']) {
      expect(stdout).toContain(fact);
    }
  }
});

test('without a command it prints what there is and says that this is a mistake', async () => {
  const { code, stderr } = await bentots([]);
  expect(code).toBe(2);
  expect(stderr).toContain('start-runner-server');
});

test('a deprecated flag is warned of and works', async () => {
  const { stderr, stdout } = await bentots([
    ...['start-runner-server', linear, '--runner-name', 'matmul'],
    ...['--bind', 'tcp://127.0.0.1:4009', '--dry-run'],
  ]);
  expect(stderr).toBe('warning: --bind is deprecated; use --host and --port\n');
  expect(JSON.parse(stdout).sockets[0]).toMatchObject({ host: '127.0.0.1', port: 4009 });
});
