import { existsSync } from 'node:fs';
import net from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { ask, begin, get } from '../test/load.js';
import {
  endTrees,
  eventually,
  fixture,
  httpPlan,
  isAlive,
  isStopped,
  socketPath,
  Tree,
} from '../test/tree.js';
import { Arbiter } from './arbiter.js';
import type { SupervisorEvent } from './events.js';

afterEach(endTrees);

const address = (tree: Tree) => {
  const [socket] = tree.sockets;
  if (socket === undefined) throw new Error('the tree has no socket');
  return socket.address;
};

describe('start', () => {
  test('resolves when every worker is ready; status, sockets and data say so', async () => {
    const path = socketPath();
    const tree = await Tree.start(httpPlan({ data: { quietMs: 1 } }, { path }));
    expect(tree.sockets).toEqual([{ name: 'http', address: { path } }]);
    const status = await tree.ask('status');
    expect(status).toMatchObject({ name: 'test', state: 'running', pid: tree.child.pid });
    expect(status.watchers[0]).toMatchObject({ name: 'web', state: 'active', numProcesses: 2 });
    expect(status.watchers[0]?.workers).toMatchObject([
      { workerId: 1, state: 'ready', generation: 1, restarts: 0 },
      { workerId: 2, state: 'ready', generation: 1, restarts: 0 },
    ]);
    expect([1, 2]).toContain((await ask(address(tree))).workerId);
    tree.kill('SIGTERM');
    expect(await tree.exited).toBe(0);
    expect(tree.report).toEqual({ exitCode: 0, reason: 'asked' });
    expect(existsSync(path)).toBe(false);
    expect(tree.everyPid.filter(isAlive)).toEqual([]);
  });

  const failures: readonly [string, Parameters<typeof httpPlan>[0], string, RegExp, number][] = [
    [
      'its own error',
      { data: { bootError: 'runner_not_found' } },
      'runner_not_found',
      /says runner_not_found/,
      4,
    ],
    [
      'a foreign error',
      { data: { throwAtBoot: true } },
      'worker_not_ready',
      /could not start: no model at model.onnx/,
      7,
    ],
    ['its exit', { data: { exitAtBoot: 3 } }, 'worker_not_ready', /ended with code 3 before it was ready/, 7],
    [
      'its silence',
      { data: { neverReady: true }, readyTimeoutMs: 700 },
      'worker_not_ready',
      /not ready within 700 ms/,
      7,
    ],
    [
      'a missing file',
      { entry: '/nowhere/worker.mjs' },
      'worker_not_ready',
      /ended with code 1 before it was ready/,
      7,
    ],
    ['a missing folder', { cwd: '/nowhere' }, 'worker_not_ready', /cannot be started/, 7],
  ];
  test.each(failures)(
    'rejects with %s, after everything was stopped',
    async (_what, watcher, code, message, exitCode) => {
      const path = socketPath();
      const tree = new Tree(httpPlan(watcher, { path }));
      expect(await tree.exited).toBe(exitCode);
      expect(tree.startError).toMatchObject({ code, message: expect.stringMatching(message) });
      expect(tree.report).toMatchObject({ exitCode, reason: 'failed', error: { code } });
      expect(existsSync(path)).toBe(false);
      expect(tree.everyPid.filter(isAlive)).toEqual([]);
    },
  );

  test('the kernel queues as many clients as the backlog says, also after workers have begun to accept', async () => {
    const path = socketPath();
    const tree = await Tree.start(httpPlan({}, { path, backlog: 2 }));
    const pids = await tree.pids();
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    await eventually(() => pids.every(isStopped));
    const clients: net.Socket[] = [];
    const connect = (): Promise<string> =>
      new Promise((resolve) => {
        const client = net.connect({ path }, () => resolve('queued'));
        client.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'));
        clients.push(client);
      });
    // Linux queues one more than it is told.
    const outcomes = await Promise.all(Array.from({ length: 6 }, connect));
    expect(outcomes.filter((outcome) => outcome === 'queued')).toHaveLength(3);
    for (const client of clients) client.destroy();
    for (const pid of await tree.pids()) process.kill(pid, 'SIGCONT');
    tree.kill('SIGTERM');
    expect(await tree.exited).toBe(0);
  });

  test('a port in use is told by address, before any worker starts', async () => {
    const server = net.createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as net.AddressInfo;
    const tree = new Tree(httpPlan({}, { port }));
    expect(await tree.exited).toBe(5);
    expect(tree.startError).toMatchObject({
      code: 'address_in_use',
      message: expect.stringContaining(`127.0.0.1:${port}`),
    });
    expect(tree.everyPid).toEqual([]);
    server.close();
  });

  test('a tree that is stopped while it starts ends cleanly, and start says why', async () => {
    const tree = new Tree(httpPlan({ data: { neverReady: true } }));
    await tree.event('worker-started', () => true, 2);
    tree.kill('SIGTERM');
    expect(await tree.exited).toBe(0);
    expect(tree.startError).toMatchObject({ code: 'cancelled' });
    expect(tree.everyPid.filter(isAlive)).toEqual([]);
  });

  test('watchers start by priority and stop in reverse', async () => {
    const base = httpPlan();
    const [web] = base.watchers;
    if (web === undefined) throw new Error('no watcher');
    const edge = { ...web, name: 'edge', numProcesses: 1, priority: 2 };
    const entry = fixture('plain-worker.mjs');
    const runner = { ...edge, name: 'runner', entry, priority: 1, sockets: ['inner'] };
    const sockets = [{ name: 'http' }, { name: 'inner' }];
    const tree = await Tree.start({ ...base, sockets, watchers: [edge, runner] });
    tree.kill('SIGTERM');
    expect(await tree.exited).toBe(0);
    const order = (type: SupervisorEvent['type']) =>
      tree.events.flatMap((event) => (event.type === type && 'watcher' in event ? [event.watcher] : []));
    expect(order('worker-ready')).toEqual(['runner', 'edge']);
    expect(order('worker-exited')).toEqual(['edge', 'runner']);
  });
});

describe('stop', () => {
  test('a worker that is deaf to it is killed when its grace time is over, grandchildren too', async () => {
    const tree = await Tree.start(
      httpPlan({ numProcesses: 1, graceMs: 400, data: { deaf: true, grandchild: true } }),
    );
    const ready = await tree.event('worker-ready');
    const { grandchild } = ready.info as { grandchild: number };
    expect(isAlive(grandchild)).toBe(true);
    const startedAt = performance.now();
    tree.kill('SIGTERM');
    expect(await tree.exited).toBe(0);
    expect(performance.now() - startedAt).toBeGreaterThan(350);
    expect(await tree.event('worker-killed')).toMatchObject({ reason: 'grace time is over' });
    await eventually(() => !isAlive(grandchild));
  });

  test('a worker that blocks its event loop is killed when its grace time is over', async () => {
    const tree = await Tree.start(httpPlan({ numProcesses: 1, graceMs: 1500 }));
    await begin(address(tree), '/block?ms=60000');
    tree.kill('SIGTERM');
    expect(await tree.exited).toBe(0);
    expect(tree.everyPid.filter(isAlive)).toEqual([]);
  });

  test('twice is once, and a stopped tree stays stopped', async () => {
    const arbiter = new Arbiter(httpPlan({ numProcesses: 1, data: { quietMs: 1 } }));
    await arbiter.start();
    await Promise.all([arbiter.stop(), arbiter.stop()]);
    await arbiter.stop();
    arbiter.force();
    expect(await arbiter.done).toEqual({ exitCode: 0, reason: 'asked' });
    expect(arbiter.status()).toMatchObject({ state: 'stopped', watchers: [{ state: 'stopped' }] });
    await expect(arbiter.start()).rejects.toThrow("cannot go from 'stopped' to 'starting'");
  });

  test('an arbiter with a bug of its own leaves no worker and no socket file', async () => {
    const path = socketPath();
    const tree = await Tree.start(httpPlan({}, { path }));
    await Promise.race([tree.ask('throw').catch(() => undefined), tree.exited]);
    expect(await tree.exited).toBe(1);
    await eventually(() => tree.everyPid.every((pid) => !isAlive(pid)));
    expect(existsSync(path)).toBe(false);
  });
});

describe('metrics', () => {
  test('totals do not fall when workers die or are replaced', async () => {
    const tree = await Tree.start(httpPlan({ data: { snapshots: true } }, { accept: 'balanced' }), {
      metrics: true,
    });
    for (let count = 0; count < 20; count += 1) await ask(address(tree));
    await expect.poll(() => get(address(tree), '/metrics')).toBe('served 20');
    for (const pid of await tree.pids()) process.kill(pid, 'SIGKILL');
    await tree.event('worker-ready', ({ generation }) => generation === 2, 2);
    for (let count = 0; count < 9; count += 1) await ask(address(tree));
    await expect.poll(() => get(address(tree), '/metrics')).toBe('served 29');
    await tree.ask('reload');
    await expect.poll(() => get(address(tree), '/metrics')).toBe('served 29');
    tree.kill('SIGTERM');
    await tree.exited;
  });

  test('a worker that does not answer is shown as it was last known', async () => {
    const plan = httpPlan({ data: { snapshots: true } }, { accept: 'balanced' });
    const tree = await Tree.start(plan, { metrics: true });
    for (let count = 0; count < 10; count += 1) await ask(address(tree));
    await expect.poll(() => get(address(tree), '/metrics')).toBe('served 10');
    const [first = 0] = await tree.pids();
    process.kill(first, 'SIGSTOP');
    const texts = await Promise.race([1, 2].map(() => get(address(tree), '/metrics')));
    expect(texts).toBe('served 10');
    process.kill(first, 'SIGCONT');
    tree.kill('SIGTERM');
    await tree.exited;
  });
});
