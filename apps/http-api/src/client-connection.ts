import { setMaxListeners } from 'node:events';
import type { Socket } from 'node:net';
import { ServeError } from '@bentots/errors';

/**
 * What all requests of one connection have in common, made once for each. A client that goes away closes its
 * connection, so that one signal serves every call on it: a signal per request would cost as much as routing and parsing
 * it together.
 */
export class ClientConnection {
  private controller: AbortController | undefined;

  private constructor(
    private readonly socket: Socket,
    /** `address:port`, or `_` where there is none. Read early: it is gone when the connection is closed. */
    readonly peer: string,
  ) {}

  /** The one of `socket`. */
  static of(socket: Socket): ClientConnection {
    const known = connections.get(socket);
    if (known !== undefined) return known;
    const { remoteAddress, remotePort } = socket;
    const host = remoteAddress?.includes(':') ? `[${remoteAddress}]` : remoteAddress;
    const connection = new ClientConnection(socket, host === undefined ? '_' : `${host}:${remotePort}`);
    connections.set(socket, connection);
    return connection;
  }

  /** Aborted when the connection closes, with `cancelled` as its reason. */
  get signal(): AbortSignal {
    this.controller ??= this.watch();
    return this.controller.signal;
  }

  private watch(): AbortController {
    const controller = new AbortController();
    // Requests may come without waiting for answers: each may listen.
    setMaxListeners(0, controller.signal);
    const abort = (): void => controller.abort(new ServeError('cancelled', 'the caller went away'));
    if (this.socket.destroyed) abort();
    else this.socket.once('close', abort);
    return controller;
  }
}

const connections = new WeakMap<Socket, ClientConnection>();
