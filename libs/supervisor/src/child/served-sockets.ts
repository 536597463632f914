import net from 'node:net';
import { ServeError } from '@bentots/errors';
import type { WorkerSocket } from '../ipc.js';
import { trackConnections } from './track-connections.js';

/** The servers of a worker and the ways connections come to them. */
export class ServedSockets {
  readonly #servers = new Map<string, net.Server>();
  /** Handed connections of sockets that are not served yet. */
  readonly #early = new Map<string, object[]>();
  readonly #closed = new Map<string, number>();
  /** Open connections that were accepted here, over all sockets; the arbiter knows those it handed over. */
  connections = 0;

  constructor(
    private readonly sockets: readonly WorkerSocket[],
    private readonly report: (socket: string, closed: number) => void,
  ) {}

  /** Lets `server` have the connections of a socket: by itself if it is shared, one by one if it is balanced. */
  async serve(name: string, server: net.Server): Promise<void> {
    const socket = this.sockets.find((one) => one.name === name);
    if (socket === undefined) {
      const available = this.sockets.map((one) => one.name).join(', ') || 'none';
      throw new ServeError(
        'invalid_option',
        `this worker has no socket named '${name}'; it has: ${available}`,
      );
    }
    if (this.#servers.has(name)) throw new ServeError('invalid_option', `socket '${name}' is served already`);
    this.#servers.set(name, server);
    trackConnections(server);
    if (socket.fd !== undefined) {
      server.on('connection', (connection) => this.#count(connection));
      await listenOn(server, socket.fd, socket.backlog);
    }
    for (const handle of this.#early.get(name) ?? []) this.take(name, handle);
    this.#early.delete(name);
  }

  /** Takes a connection that the arbiter accepted. */
  take(name: string, handle: object): void {
    const server = this.#servers.get(name);
    if (server === undefined) {
      this.#early.set(name, [...(this.#early.get(name) ?? []), handle]);
      return;
    }
    const connection = adoptConnection(server, handle);
    connection.once('close', () => this.#countClosed(name));
    server.emit('connection', connection);
  }

  /** From now on every HTTP answer tells its client to close the connection. */
  sayClose(): void {
    for (const server of this.#servers.values()) trackConnections(server)?.sayClose();
  }

  /** Accepts nothing by itself any more; connections that exist stay. */
  unlisten(): void {
    for (const server of this.#servers.values()) {
      // Not server.close(): that of an HTTP server resets idle keep-alive connections.
      if (server.listening) net.Server.prototype.close.call(server);
    }
  }

  #count(connection: net.Socket): void {
    this.connections += 1;
    connection.once('close', () => (this.connections -= 1));
  }

  /** Many connections end in the same turn of the event loop; one message tells them all. */
  #countClosed(name: string): void {
    if (this.#closed.size === 0) setImmediate(() => this.#reportClosed());
    this.#closed.set(name, (this.#closed.get(name) ?? 0) + 1);
  }

  #reportClosed(): void {
    for (const [name, count] of this.#closed) this.report(name, count);
    this.#closed.clear();
  }
}

function listenOn(server: net.Server, fd: number, backlog: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    // Not as an option: with a descriptor Node reads only the argument, and this call would set 511.
    server.listen({ fd }, backlog, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** What `net.Server` does with a connection that it accepted, for one that came over the channel. */
function adoptConnection(server: net.Server, handle: object): net.Socket {
  const allowHalfOpen = 'allowHalfOpen' in server && server.allowHalfOpen === true;
  const options: net.SocketConstructorOpts & { readonly handle: object } = {
    handle,
    allowHalfOpen,
    readable: true,
    writable: true,
  };
  return new net.Socket(options).setNoDelay(true);
}
