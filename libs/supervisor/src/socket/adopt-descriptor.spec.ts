import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import net from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { ask, get } from '../../test/load.js';
import { endTrees, fixture, httpPlan, socketPath, Tree } from '../../test/tree.js';
import type { Plan, SocketSpec } from '../index.js';
import { compileSocket } from '../compile-socket.js';
import { type Listener, openListeners } from './listener.js';

const opened: Listener[] = [];
afterEach(async () => {
  await endTrees();
  for (const listener of opened.splice(0)) listener.close();
});

/** A socket that listens and on which nobody accepts here: what systemd has, and gives to whom it starts. */
async function listen(target: { host?: string; path?: string } = {}): Promise<Listener> {
  const [listener] = await openListeners([compileSocket({ name: 'given', ...target }, [])]);
  if (listener === undefined) throw new Error('no listener');
  opened.push(listener);
  return listener;
}

/** A tree that was started with `fd` as its descriptor 3. */
function startWith(plan: Plan, fd: number, name = 'http'): Tree {
  const given = { LISTEN_PID: '1', LISTEN_FDS: '1', LISTEN_FDNAMES: name };
  return new Tree(
    plan,
    { listenFds: { [name]: 3 } },
    {
      stdio: ['ignore', 'inherit', 'inherit', fd, 'ipc'],
      env: { ...process.env, ...given },
    },
  );
}

async function running(tree: Tree): Promise<void> {
  await tree.until(() => tree.startError ?? (tree.sockets.length > 0 ? true : undefined));
  if (tree.startError !== undefined) throw new Error(tree.startError.message);
}

describe.each(['shared', 'balanced'] as const)('a %s socket that was given', (accept) => {
  const inherit = 'http';

  test('is taken instead of one of our own, with those who wait in its queue', async () => {
    const given = await listen();
    const early = Array.from({ length: 8 }, () => ask(given.bound.address));
    const tree = startWith(httpPlan({}, { accept, inherit, port: 1 }), given.fd);
    await running(tree);
    expect(tree.sockets).toEqual([{ name: 'http', address: given.bound.address }]);
    const pids = await tree.pids();
    for (const answer of await Promise.all(early)) expect(pids).toContain(answer.pid);
  });

  test('goes on when the tree is gone: the next tree answers those who came in between', async () => {
    const given = await listen();
    const first = startWith(httpPlan({}, { accept, inherit }), given.fd);
    await running(first);
    first.kill('SIGTERM');
    expect(await first.exited).toBe(0);
    const between = ask(given.bound.address);
    const second = startWith(httpPlan({}, { accept, inherit }), given.fd);
    await running(second);
    expect(await second.pids()).toContain((await between).pid);
  });

  test('of a file leaves the file in place', async () => {
    const path = socketPath();
    const given = await listen({ path });
    const tree = startWith(httpPlan({}, { accept, inherit, path }), given.fd);
    await running(tree);
    expect(await ask({ path })).toMatchObject({ generation: 1 });
    tree.kill('SIGTERM');
    expect(await tree.exited).toBe(0);
    expect(existsSync(path)).toBe(true);
  });
});

test('a given IPv6 socket is told by its real address', async () => {
  const given = await listen({ host: '::1' });
  const tree = startWith(httpPlan({}, { inherit: 'http' }), given.fd);
  await running(tree);
  expect(tree.sockets).toEqual([{ name: 'http', address: given.bound.address }]);
});

test('without a descriptor of that name the socket is bound, and one that nobody takes is warned of', async () => {
  const given = await listen();
  const tree = startWith(httpPlan({}, { inherit: 'http' }), given.fd, 'metrics');
  expect((await tree.event('warning')).message).toBe(
    "no socket takes the given descriptor 'metrics'; those that may be given: http",
  );
  await running(tree);
  expect(tree.port).not.toBe(Reflect.get(given.bound.address, 'port'));
  expect(await ask({ host: '127.0.0.1', port: tree.port })).toMatchObject({ generation: 1 });
});

test('workers are not told of what the arbiter was given', async () => {
  const given = await listen();
  const command = { command: process.execPath, args: [fixture('command.mjs')] };
  const watchers: Plan['watchers'] = [
    { name: 'any', ...command, numProcesses: 1, sockets: ['own'], readiness: 'fd' },
    { name: 'env', entry: fixture('env-worker.mjs'), numProcesses: 1 },
  ];
  const sockets = [{ name: 'http', inherit: 'http' }, { name: 'own' }];
  const tree = startWith({ name: 'test', sockets, watchers }, given.fd);
  await running(tree);
  expect((await tree.event('worker-ready', ({ watcher }) => watcher === 'env')).info).toEqual([]);
  const own = tree.sockets.find(({ name }) => name === 'own');
  if (own === undefined) throw new Error('no socket');
  expect(JSON.parse(await get(own.address, '/')).listen).toMatchObject({ count: 1, names: 'own' });
});

describe('a descriptor that is no listening socket is refused by what it is', () => {
  const refusal = async (fd: number, socket: Partial<SocketSpec> = {}): Promise<string> => {
    const tree = startWith(httpPlan({}, { inherit: 'http', ...socket }), fd);
    expect(await tree.exited).toBe(5);
    return tree.startError?.message ?? '';
  };

  test('a file', async () => {
    const fd = openSync(import.meta.filename, 'r');
    expect(await refusal(fd)).toBe(
      "descriptor 3, given as 'http' for socket 'http', is no such socket (EINVAL); expected a listening TCP socket",
    );
    closeSync(fd);
  });

  test('a unix socket where TCP is wanted, and the other way round', async () => {
    const [unix, tcp] = [await listen({ path: socketPath() }), await listen()];
    expect(await refusal(unix.fd)).toContain('is a unix socket; expected a listening TCP socket');
    const path = socketPath();
    expect(await refusal(tcp.fd, { path })).toContain('is a TCP socket; expected a listening unix socket');
  });

  test('a connection', async () => {
    const server = net.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = net.connect(Object(server.address()).port, '127.0.0.1');
    await once(client, 'connect');
    expect(await refusal(Reflect.get(client, '_handle').fd)).toContain('is a connection');
    client.destroy();
    server.close();
  });

  test('one that is not open', async () => {
    const tree = new Tree(httpPlan({}, { inherit: 'http' }), { listenFds: { http: 999 } });
    expect(await tree.exited).toBe(5);
    expect(tree.startError?.code).toBe('address_unavailable');
  });
});
