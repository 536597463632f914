import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunnerAddress } from '@bentots/runner-map';
import { type IncomingCall, ServerConnection } from '@bentots/runner-wire';
import { afterEach } from 'vitest';
import { connectRunner, type RemoteRunner, type RunnerClientOptions } from '../src/index.js';

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

export interface RunnerOptions {
  readonly name?: string;
  readonly family?: 'unix' | 'tcp';
  readonly workers?: number;
  /** A port or path that a runner had before. */
  readonly address?: RunnerAddress;
  readonly onCall?: (call: IncomingCall, connection: number) => void | Promise<void>;
  readonly isReady?: () => boolean;
  /** Speaks TLS only. */
  readonly tls?: TlsOptions;
  /** Instead of speaking the wire, unless it says `serve`. */
  readonly onSocket?: (socket: Socket, number: number) => unknown;
}

/** A runner server on a real socket; without `onCall` calls are answered with the number of their connection. */
export interface TestRunner {
  readonly address: RunnerAddress;
  readonly connections: ServerConnection[];
  /** Reads and answers nothing until it thaws, as a process whose model computes. */
  freeze(): void;
  thaw(): void;
  /** Cuts every connection and listens no more, as a process that is killed. */
  kill(): Promise<void>;
}

export async function startRunner(options: RunnerOptions = {}): Promise<TestRunner> {
  const connections: ServerConnection[] = [];
  const sockets = new Set<Socket>();
  const count = { sockets: 0 };
  const welcome = (socket: Socket): unknown => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    count.sockets += 1;
    if (options.onSocket !== undefined && options.onSocket(socket, count.sockets) !== 'serve')
      return undefined;
    const number = connections.length;
    const { name = 'matmul', workers = 1, onCall } = options;
    connections.push(
      new ServerConnection(socket, {
        hello: { runner: name, worker: (number % workers) + 1, workers, protocol: 1, methods: [] },
        onCall: (call) => (onCall ? onCall(call, number) : call.respond(number)),
        ...(options.isReady && { isReady: options.isReady }),
      }),
    );
    return undefined;
  };
  const server = options.tls ? createTlsServer(options.tls, welcome) : createServer(welcome);
  server.on('tlsClientError', (_, socket: Socket) => socket.destroy());
  const address = options.address ?? (await newAddress(options.family ?? 'unix'));
  await new Promise<void>((resolve, reject) => {
    server.on('error', reject);
    if (address.kind === 'unix') server.listen(address.path, resolve);
    else server.listen(address.port, address.host, resolve);
  });
  const kill = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  cleanups.push(kill);
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  return {
    address: address.kind === 'unix' ? address : { ...address, port },
    connections,
    freeze: () => sockets.forEach((socket) => socket.pause()),
    thaw: () => sockets.forEach((socket) => socket.resume()),
    kill,
  };
}

/** An address where nothing listens yet; a TCP one has port 0, which picks a free one when it is listened on. */
export async function newAddress(family: 'unix' | 'tcp'): Promise<RunnerAddress> {
  if (family === 'tcp') return { kind: 'tcp', host: '127.0.0.1', port: 0 };
  const folder = await mkdtemp(join(tmpdir(), 'client-'));
  cleanups.push(() => rm(folder, { recursive: true, force: true }));
  return { kind: 'unix', path: join(folder, 'r.sock') };
}

/** A handle that is closed after the test. */
export function openHandle(
  addresses: readonly RunnerAddress[],
  options: RunnerClientOptions = {},
): RemoteRunner {
  const handle = connectRunner('matmul', addresses, {
    minBackoffMs: 5,
    closeTimeoutMs: 100,
    reconnectLimitMs: 0,
    ...options,
  });
  cleanups.push(() => handle.close());
  return handle;
}

/** For questions that must be answered, however slow the machine. */
export function patient(): AbortSignal {
  return AbortSignal.timeout(20_000);
}

export interface Gate<T> {
  readonly opened: Promise<T>;
  open(value: T): void;
}

export function gate<T = void>(): Gate<T> {
  let open: (value: T) => void = () => undefined;
  const opened = new Promise<T>((resolve) => (open = resolve));
  return { opened, open };
}

export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

export async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => {
      throw new Error('expected a rejection');
    },
    (error: unknown) => error,
  );
}
