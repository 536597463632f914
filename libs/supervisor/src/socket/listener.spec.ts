import { existsSync, readdirSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { dirname } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { eventually, socketPath } from '../../test/tree.js';
import type { SocketConfig } from '../plan.js';
import { formatBoundAddress } from './bound-socket.js';
import { type Listener, openListeners } from './listener.js';
import { bindUnix, type RawHandle } from './raw-handle.js';

const opened: Listener[] = [];
const servers: net.Server[] = [];
afterEach(() => {
  for (const listener of opened.splice(0)) listener.close();
  for (const server of servers.splice(0)) server.close();
});

const tcp = (host = '127.0.0.1', port = 0): SocketConfig => ({
  name: 'tcp',
  target: { host, port },
  backlog: 511,
  accept: 'shared',
  inherit: undefined,
  isForCommands: false,
});
const unix = (path: string, mode = 0o600): SocketConfig => ({
  name: 'unix',
  target: { path, mode, uid: undefined, gid: undefined },
  backlog: 511,
  accept: 'shared',
  inherit: undefined,
  isForCommands: false,
});

async function open(...configs: SocketConfig[]): Promise<readonly Listener[]> {
  const listeners = await openListeners(configs);
  opened.push(...listeners);
  return listeners;
}

/** A server of somebody else. */
async function occupy(target: net.ListenOptions): Promise<net.Server> {
  const server = net.createServer();
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(target, resolve));
  return server;
}

/** Connects, says `ping`, and tells what came back, or the error. */
function talk(target: net.NetConnectOpts, onConnect: () => void = () => undefined): Promise<string> {
  return new Promise((resolve) => {
    const socket = net.connect(target, () => {
      socket.write('ping');
      onConnect();
    });
    socket.on('data', (data) => resolve(data.toString()));
    socket.on('end', () => resolve('end'));
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'));
  });
}

const pong = (client: RawHandle): void => {
  const options: net.SocketConstructorOpts & { handle: RawHandle } = { handle: client };
  const socket = new net.Socket(options);
  socket.once('data', () => socket.end('pong'));
};

const targetOf = (listener: Listener): net.NetConnectOpts => listener.bound.address;

describe('openListeners', () => {
  test('port 0 takes a free port and tells it; clients wait in the queue until somebody accepts', async () => {
    const [listener] = await open(tcp());
    if (listener === undefined) throw new Error('no listener');
    const answers = Array.from({ length: 40 }, () => talk(targetOf(listener)));
    listener.startAccepting(pong);
    expect(new Set(await Promise.all(answers))).toEqual(new Set(['pong']));
  });

  test('IPv6 and host names are bound as well', async () => {
    const listeners = await open(tcp('::1'), { ...tcp('localhost'), name: 'named' });
    for (const listener of listeners) {
      listener.startAccepting(pong);
      expect(await talk(targetOf(listener))).toBe('pong');
    }
  });

  test('port 0 of IPv6 is a free port, written as in a URL', async () => {
    const [listener] = await open(tcp('::1'));
    const address = listener?.bound.address ?? { path: '' };
    expect(formatBoundAddress(address)).toMatch(/^\[::1\]:[1-9]\d*$/);
  });

  test('a port in use is refused by address, and the other sockets are closed again', async () => {
    const server = await occupy({ port: 0, host: '127.0.0.1' });
    const { port } = server.address() as net.AddressInfo;
    const path = socketPath();
    const failure = open(unix(path), tcp('127.0.0.1', port));
    await expect(failure).rejects.toMatchObject({ code: 'address_in_use' });
    await expect(failure).rejects.toThrow(`127.0.0.1:${port} is in use`);
    expect(existsSync(path)).toBe(false);
  });

  test.each([
    [tcp('192.0.2.1'), 'cannot listen on 192.0.2.1:0: this machine does not have that address'],
    [tcp('no.such.host.invalid'), "host 'no.such.host.invalid' has no address"],
    [unix('/no/such/folder/x.sock'), 'the folder of unix socket'],
    [unix(`/tmp/${'x'.repeat(103)}`), 'has 108 bytes; at most 107 are possible'],
  ])('%j is no address of this machine', async (config, message) => {
    const failure = open(config);
    await expect(failure).rejects.toMatchObject({ code: 'address_unavailable' });
    await expect(failure).rejects.toThrow(message);
  });

  test('the kernel queues as many clients as the backlog says', async () => {
    const path = socketPath();
    await open({ ...unix(path), backlog: 2 });
    const connect = (): Promise<string> =>
      new Promise((resolve) => {
        const socket = net.connect({ path });
        socket.once('connect', () => resolve('queued'));
        socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'));
      });
    // Linux queues one more than it is told.
    const outcomes = await Promise.all(Array.from({ length: 6 }, connect));
    expect(outcomes.filter((outcome) => outcome === 'queued')).toHaveLength(3);
  });

  test('a path of 107 bytes works', async () => {
    const path = `/tmp/${String(process.pid).padEnd(102, 'x')}`;
    const [listener] = await open(unix(path));
    listener?.startAccepting(pong);
    expect(await talk({ path })).toBe('pong');
  });

  test('a unix socket has the permissions that were asked for', async () => {
    const [first, second] = [socketPath(), socketPath()];
    await open(unix(first), { ...unix(second, 0o660), name: 'group' });
    expect(statSync(first).mode & 0o777).toBe(0o600);
    expect(statSync(second).mode & 0o777).toBe(0o660);
  });

  test.skipIf(process.getuid?.() !== 0)('a unix socket has the owner that was asked for', async () => {
    const [path, other] = [socketPath(), socketPath()];
    const owned = (target: string, uid: number | undefined, gid: number | undefined): SocketConfig => ({
      ...unix(target),
      target: { path: target, mode: 0o660, uid, gid },
    });
    await open(owned(path, 1234, 2345), { ...owned(other, undefined, 2345), name: 'group' });
    expect(statSync(path)).toMatchObject({ uid: 1234, gid: 2345 });
    expect(statSync(path).mode & 0o777).toBe(0o660);
    expect(statSync(other)).toMatchObject({ uid: 0, gid: 2345 });
  });

  test.skipIf(process.getuid?.() === 0)(
    'an owner that may not be given is refused, and no file stays',
    async () => {
      const path = socketPath();
      const target = { path, mode: 0o600, uid: 0, gid: undefined };
      const failure = open({ ...unix(path), target });
      await expect(failure).rejects.toThrow(`unix socket '${path}' cannot be given user 0`);
      expect(readdirSync(dirname(path))).toEqual([]);
    },
  );

  test('a unix socket that somebody listens on is left alone', async () => {
    const path = socketPath();
    await occupy({ path });
    const failure = open(unix(path));
    await expect(failure).rejects.toMatchObject({ code: 'address_in_use' });
    await expect(failure).rejects.toThrow(path);
    expect(existsSync(path)).toBe(true);
  });

  test('the file of a socket that nobody listens on is replaced', async () => {
    const path = socketPath();
    // A socket that was bound and never listens is what a killed process leaves.
    const stale = bindUnix(path);
    const [listener] = await open(unix(path));
    listener?.startAccepting(pong);
    expect(await talk({ path })).toBe('pong');
    if (typeof stale !== 'string') stale.close();
  });

  test('another file at the path is not touched', async () => {
    const path = socketPath();
    writeFileSync(path, 'precious');
    await expect(open(unix(path))).rejects.toThrow('exists and is no socket');
    expect(existsSync(path)).toBe(true);
  });
});

describe('seal', () => {
  test.each([
    ['TCP', () => tcp()],
    ['unix', () => unix(socketPath())],
  ])('%s: those in the queue are served, those who come later are refused', async (_kind, config) => {
    const [listener] = await open(config());
    if (listener === undefined) throw new Error('no listener');
    const target = targetOf(listener);
    let queued = 0;
    const early = Array.from({ length: 40 }, () => talk(target, () => (queued += 1)));
    await eventually(() => queued === 40);
    await listener.seal(pong);
    expect(new Set(await Promise.all(early))).toEqual(new Set(['pong']));
    expect(['ECONNREFUSED', 'ENOENT']).toContain(await talk(target));
  });

  test('clients that connect without a pause are served or refused, never reset', async () => {
    for (let round = 0; round < 3; round += 1) {
      const [listener] = await open(tcp());
      if (listener === undefined) throw new Error('no listener');
      listener.startAccepting(pong);
      const outcomes = new Set<string>();
      const client = async (): Promise<void> => {
        for (let last = 'pong'; last === 'pong'; outcomes.add(last)) last = await talk(targetOf(listener));
      };
      const clients = Array.from({ length: 8 }, client);
      await eventually(() => outcomes.has('pong'));
      await listener.seal(pong);
      await Promise.all(clients);
      expect(outcomes).toEqual(new Set(['pong', 'ECONNREFUSED']));
    }
  });

  test('a unix socket of somebody else at the same path stays', async () => {
    const path = socketPath();
    const [old] = await open(unix(path));
    unlinkSync(path);
    await occupy({ path });
    old?.close();
    expect(existsSync(path)).toBe(true);
  });
});
