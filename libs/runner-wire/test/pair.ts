import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import {
  ClientConnection,
  type ClientConnectionOptions,
  type IncomingCall,
  ServerConnection,
  type ServerConnectionOptions,
} from '../src/index.js';

const cleanups: (() => unknown)[] = [];
const sockets = new Set<Socket>();

/** Ended after the test; one that ends before is not kept. */
function keep(socket: Socket): void {
  sockets.add(socket);
  socket.once('close', () => sockets.delete(socket));
}

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

export type Family = 'unix' | 'tcp';

/** A server on a socket of the family, and how to connect to it. Closed after the test. */
export async function listen(
  family: Family,
  onSocket: (socket: Socket) => void,
): Promise<{ server: Server; connect(): Socket }> {
  const server = createServer((socket) => {
    keep(socket);
    socket.on('error', () => undefined);
    onSocket(socket);
  });
  const folder = await mkdtemp(join(tmpdir(), 'wire-'));
  const path = join(folder, 's.sock');
  await new Promise<void>((resolve) => {
    if (family === 'unix') server.listen(path, resolve);
    else server.listen(0, '127.0.0.1', resolve);
  });
  cleanups.push(() => rm(folder, { recursive: true, force: true }));
  cleanups.push(() => new Promise((resolve) => server.close(resolve)));
  return {
    server,
    connect: () => {
      const address = server.address();
      const target =
        typeof address === 'object' && address !== null
          ? { host: '127.0.0.1', port: address.port }
          : { path };
      const socket = connect(target);
      keep(socket);
      socket.on('error', () => undefined);
      return socket;
    },
  };
}

export interface Pair {
  readonly client: ClientConnection;
  readonly server: ServerConnection;
  readonly clientSocket: Socket;
  readonly serverSocket: Socket;
}

export interface PairOptions {
  readonly family?: Family;
  readonly onCall?: (call: IncomingCall) => void | Promise<void>;
  readonly server?: Partial<ServerConnectionOptions>;
  readonly client?: Partial<ClientConnectionOptions>;
}

/** Both ends of a connection over a real socket; without `onCall` calls are answered with their first argument. */
export async function createPair(options: PairOptions = {}): Promise<Pair> {
  const accepted = gate<{ server: ServerConnection; serverSocket: Socket }>();
  const { connect } = await listen(options.family ?? 'unix', (serverSocket) => {
    const server = new ServerConnection(serverSocket, {
      hello: { runner: 'matmul', worker: 1, workers: 1, protocol: 1, methods: ['echo'] },
      onCall: options.onCall ?? ((call) => call.respond(call.args[0])),
      ...options.server,
    });
    accepted.open({ server, serverSocket });
  });
  const clientSocket = connect();
  const client = new ClientConnection(clientSocket, { runner: 'matmul', address: 'here', ...options.client });
  return { client, clientSocket, ...(await accepted.opened) };
}

export interface Gate<T> {
  readonly opened: Promise<T>;
  open(value: T): void;
}

/** A promise and what resolves it. */
export function gate<T = void>(): Gate<T> {
  let open: (value: T) => void = () => undefined;
  const opened = new Promise<T>((resolve) => (open = resolve));
  return { opened, open };
}

/** Resolves once `condition` holds, looked at after every turn of the event loop. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

/** What a promise rejects with. */
export async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => {
      throw new Error('expected a rejection');
    },
    (error: unknown) => error,
  );
}
