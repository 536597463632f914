import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import net from 'node:net';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { Load, type ClientKind } from '../../test/load.js';
import { endTrees, eventually, httpPlan, isAlive, socketPath, Tree } from '../../test/tree.js';

afterEach(endTrees);

const addressOf = (tree: Tree) => {
  const [socket] = tree.sockets;
  if (socket === undefined) throw new Error('the tree has no socket');
  return socket.address;
};

/** Stops a tree under load, and checks that every request was answered or refused. */
async function stopUnderLoad(tree: Tree, kind: ClientKind, secure = false, clients = 8): Promise<void> {
  const load = new Load(addressOf(tree), kind, clients, secure);
  await eventually(() => load.ok > 50);
  load.refusalIsFine();
  tree.kill('SIGTERM');
  expect(await tree.exited).toBe(0);
  await load.allRefused();
  expect(load.failures).toEqual([]);
  expect(load.refused).toBe(clients);
  expect(tree.everyPid.filter(isAlive)).toEqual([]);
}

const kinds = ['keep-alive', 'think-time', 'close'] as const;

describe('a stop under load', () => {
  test.each(kinds.flatMap((kind) => [['shared', kind] as const, ['balanced', kind] as const]))(
    '%s sockets, %s clients: every request is served or refused, none is reset',
    async (accept, kind) => {
      await stopUnderLoad(await Tree.start(httpPlan({}, { accept })), kind);
    },
  );

  test.each([
    ['shared', false],
    ['balanced', false],
    ['shared', true],
  ] as const)(
    '%s sockets, TLS %s: clients that think longer than a busy machine is slow',
    async (accept, secure) => {
      const tree = await Tree.start(httpPlan({ data: secure ? { secure: selfSigned() } : {} }, { accept }));
      using _ = new BusyCpu();
      await stopUnderLoad(tree, 'long-think', secure, 40);
    },
  );

  test.each(['shared', 'balanced'] as const)('unix socket, %s: none is reset', async (accept) => {
    await stopUnderLoad(await Tree.start(httpPlan({}, { accept, path: socketPath() })), 'close');
  });

  test.each(['keep-alive', 'close'] as const)('HTTPS, %s clients: none is reset', async (kind) => {
    const tree = await Tree.start(httpPlan({ data: { secure: selfSigned() } }));
    await stopUnderLoad(tree, kind, true);
  });
});

describe('drainHttpServer', () => {
  test('a request that comes on an idle connection is served, and told to go', async () => {
    const tree = await Tree.start(httpPlan({ numProcesses: 1, graceMs: 20_000, data: { quietMs: 10_000 } }));
    const client = new RawClient(tree.port);
    expect(await client.request()).toMatch(/^HTTP\/1.1 200 .*connection: keep-alive/is);
    tree.kill('SIGTERM');
    await tree.event('worker-draining');
    await eventually(() => isRefused(tree.port));
    expect(await client.request()).toMatch(/^HTTP\/1.1 200 .*connection: close/is);
    expect(await tree.exited).toBe(0);
  });

  test.each(['SIGTERM', 'SIGINT'] as const)(
    'after %s an idle connection is kept for as long as its client was told, unless somebody waits',
    async (signal) => {
      const tree = await Tree.start(httpPlan({ numProcesses: 1, data: { keepAliveMs: 2000 } }));
      const client = new RawClient(tree.port);
      expect(await client.request()).toMatch(/keep-alive: timeout=2/i);
      const startedAt = performance.now();
      tree.kill(signal);
      expect(await client.closed).toBe('end');
      const keptMs = performance.now() - startedAt;
      if (signal === 'SIGTERM') expect(keptMs).toBeGreaterThan(2500);
      else expect(keptMs).toBeLessThan(2000);
      expect(await tree.exited).toBe(0);
    },
  );

  test('a hurry that comes later counts too', async () => {
    const tree = await Tree.start(
      httpPlan({ numProcesses: 1, data: { keepAliveMs: 60_000 }, graceMs: 60_000 }),
    );
    const client = new RawClient(tree.port);
    await client.request();
    tree.kill('SIGTERM');
    await tree.event('worker-draining');
    tree.kill('SIGINT');
    expect(await client.closed).toBe('end');
    expect(await tree.exited).toBe(0);
  });

  test('an idle connection ends before the grace time does', async () => {
    const tree = await Tree.start(
      httpPlan({ numProcesses: 1, data: { keepAliveMs: 60_000 }, graceMs: 1500 }),
    );
    const client = new RawClient(tree.port);
    await client.request();
    tree.kill('SIGTERM');
    expect(await client.closed).toBe('end');
    expect(await tree.exited).toBe(0);
    expect(tree.events.some((event) => event.type === 'worker-killed')).toBe(false);
  });

  test('without a stop, too, a request is served up to the last moment that its client was told', async () => {
    const tree = await Tree.start(httpPlan({ numProcesses: 1, data: { keepAliveMs: 1000 } }));
    const client = new RawClient(tree.port);
    expect(await client.request()).toMatch(/keep-alive: timeout=1/i);
    // Time has to pass: more than the client was told, less than it is given.
    await new Promise((resolve) => setTimeout(resolve, 1200));
    expect(await client.request()).toMatch(/^HTTP\/1.1 200 /);
  });

  test('a request that crosses the end of its connection is not carried out, and not reset', async () => {
    const tree = await Tree.start(httpPlan({ numProcesses: 1, data: { quietMs: 100 } }));
    const client = new RawClient(tree.port, true);
    await client.request();
    tree.kill('SIGTERM');
    expect(await client.closed).toBe('end');
    client.socket.end('GET /crash HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(await client.gone).toBe('closed');
    expect(await tree.exited).toBe(0);
    expect(await tree.event('worker-exited')).toMatchObject({ code: 0 });
  });

  test('a loop that was busy reads what has arrived before it calls a connection quiet', async () => {
    // Quiet for long enough that a slow machine gets the loop busy meanwhile.
    const tree = await Tree.start(httpPlan({ numProcesses: 1, graceMs: 30_000, data: { quietMs: 4000 } }));
    const [client, busy] = [new RawClient(tree.port), new RawClient(tree.port)];
    await client.request();
    tree.kill('SIGTERM');
    await eventually(() => isRefused(tree.port));
    await busy.begin('/block?ms=6000');
    expect(await client.request()).toMatch(/^HTTP\/1.1 200 .*connection: close/is);
    expect(await tree.exited).toBe(0);
  });

  test('an idle connection is closed after the quiet time, with an end and not with a reset', async () => {
    const tree = await Tree.start(httpPlan({ numProcesses: 1, data: { quietMs: 200 } }));
    const client = new RawClient(tree.port);
    await client.request();
    tree.kill('SIGTERM');
    expect(await client.closed).toBe('end');
    expect(await tree.exited).toBe(0);
  });

  test('a request whose headers are half sent is awaited', async () => {
    const tree = await Tree.start(httpPlan({ numProcesses: 1, data: { quietMs: 1000 } }));
    const client = new RawClient(tree.port);
    await client.request();
    client.socket.write('GET /?id=late HTTP/1.1\r\nHo');
    tree.kill('SIGTERM');
    await eventually(() => isRefused(tree.port));
    // Time has to pass: more than an idle connection lives.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const answer = client.answer();
    client.socket.write('st: x\r\n\r\n');
    expect(await answer).toContain('"id":"late"');
    expect(await tree.exited).toBe(0);
  });

  test('a request that does not end in time is given up before the worker is killed', async () => {
    const tree = await Tree.start(httpPlan({ numProcesses: 1, graceMs: 5000 }));
    const client = new RawClient(tree.port);
    await client.begin('/?ms=60000');
    tree.kill('SIGTERM');
    expect(await tree.exited).toBe(0);
    const exit = await tree.event('worker-exited');
    expect(exit).toMatchObject({ code: 0, expected: true });
    await client.closed;
  });
});

/** One connection that a test writes to byte by byte. */
class RawClient {
  readonly socket: net.Socket;
  readonly closed: Promise<string>;

  /** How the connection was over: closed, or with an error of the system. */
  readonly gone: Promise<string>;

  constructor(port: number, allowHalfOpen = false) {
    this.socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen });
    this.gone = new Promise((resolve) => {
      this.socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'));
      this.socket.once('close', () => resolve('closed'));
    });
    this.closed = new Promise((resolve) => {
      this.socket.once('end', () => resolve('end'));
      this.socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'));
    });
  }

  request(): Promise<string> {
    const answer = this.answer();
    this.socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    return answer;
  }

  /** Sends a request; resolves when the worker has it in hand. */
  async begin(path: string): Promise<void> {
    const taken = this.answer();
    this.socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n\r\n`);
    expect(await taken).toMatch(/^HTTP\/1.1 100 /);
  }

  answer(): Promise<string> {
    return new Promise((resolve, reject) => {
      this.socket.once('data', (data) => resolve(data.toString()));
      this.socket.once('error', reject);
      this.socket.once('close', () => reject(new Error('the connection was closed without an answer')));
    });
  }
}

/** Processes that take every CPU until they are disposed of. */
class BusyCpu {
  readonly #burners = Array.from({ length: availableParallelism() }, () =>
    spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }),
  );

  [Symbol.dispose](): void {
    for (const burner of this.#burners) burner.kill('SIGKILL');
  }
}

function isRefused(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => socket.end());
    socket.once('error', () => resolve(true));
    socket.once('connect', () => resolve(false));
  });
}

function selfSigned(): { key: string; cert: string } {
  const folder = mkdtempSync(join(tmpdir(), 'supervisor-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const subject = ['-subj', '/CN=localhost', '-days', '2'];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  execFileSync('openssl', ['req', '-x509', ...kind, '-keyout', key, '-out', cert, ...subject], {
    stdio: 'ignore',
  });
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
}
