import http from 'node:http';
import https from 'node:https';
import type net from 'node:net';

/** What draining needs to know about one HTTP connection. */
export interface TrackedConnection {
  readonly socket: net.Socket;
  /** Requests that are not answered yet. */
  inFlight: number;
  /** When it last had nothing to do, and how much had been read then: more means that a request is on its way. */
  idleSinceMs: number;
  idleBytes: number;
  /** When this side said that nothing more will come; undefined while it may still answer. */
  endedAtMs: number | undefined;
}

/** The connections of one HTTP or HTTPS server. */
export interface ConnectionTracker {
  /** Connections that speak HTTP: for HTTPS, those whose handshake is done. */
  readonly connections: ReadonlyMap<object, TrackedConnection>;
  /** Every connection below, handshake done or not. */
  readonly transports: ReadonlySet<net.Socket>;
  /** From now on every response, those under way included, tells the client to close. */
  sayClose(): void;
  /** Nothing but the caller closes idle connections from now on, and who has been ended is not served. */
  takeOver(): void;
}

/**
 * Clients are told how long an idle connection is kept, and may begin a request in its last moment: it is kept so much
 * longer. Newer versions of Node have the same margin.
 */
export const KEEP_ALIVE_MARGIN_MS = 1000;

/** Node emits the first for each request, the other two instead of it for `Expect` headers. */
const REQUEST_EVENTS = ['request', 'checkContinue', 'checkExpectation'] as const;

const trackers = new WeakMap<net.Server, ConnectionTracker>();

/** Follows the connections of an HTTP or HTTPS server from now on; undefined for other servers. */
export function trackConnections(server: net.Server): ConnectionTracker | undefined {
  if (!(server instanceof http.Server) && !(server instanceof https.Server)) return undefined;
  const known = trackers.get(server);
  if (known !== undefined) return known;
  const tracker = new Tracker(server);
  trackers.set(server, tracker);
  return tracker;
}

class Tracker implements ConnectionTracker {
  readonly connections = new Map<object, TrackedConnection>();
  readonly transports = new Set<net.Socket>();
  readonly #responses = new Set<http.ServerResponse>();
  #saysClose = false;
  #isTakenOver = false;

  constructor(private readonly server: http.Server | https.Server) {
    server.prependListener('connection', (socket: net.Socket) => {
      this.transports.add(socket);
      socket.once('close', () => this.transports.delete(socket));
    });
    const speaks = server instanceof https.Server ? 'secureConnection' : 'connection';
    server.prependListener(speaks, (socket: net.Socket) => this.#add(socket));
    for (const event of REQUEST_EVENTS) {
      server.prependListener(event, (request: http.IncomingMessage, response: http.ServerResponse) => {
        this.#onRequest(request.socket, response);
      });
    }
  }

  sayClose(): void {
    this.#saysClose = true;
    for (const response of this.#responses) response.shouldKeepAlive = false;
  }

  takeOver(): void {
    if (this.#isTakenOver) return;
    this.#isTakenOver = true;
    for (const connection of this.connections.values()) this.#keep(connection);
    for (const event of REQUEST_EVENTS) this.#guard(event);
  }

  #add(socket: net.Socket): void {
    // Of a plain connection that is handed over some bytes may have been looked at: they are part of a request.
    const idleBytes = this.server instanceof https.Server ? socket.bytesRead : 0;
    const connection: TrackedConnection = {
      socket,
      inFlight: 0,
      idleSinceMs: performance.now(),
      idleBytes,
      endedAtMs: undefined,
    };
    this.connections.set(socket, connection);
    socket.once('close', () => this.connections.delete(socket));
  }

  #onRequest(socket: net.Socket, response: http.ServerResponse): void {
    if (this.#saysClose) response.shouldKeepAlive = false;
    this.#responses.add(response);
    const connection = this.connections.get(socket);
    if (connection !== undefined) connection.inFlight += 1;
    response.once('close', () => {
      this.#responses.delete(response);
      if (connection === undefined) return;
      connection.inFlight -= 1;
      connection.idleSinceMs = performance.now();
      connection.idleBytes = socket.bytesRead;
      this.#keep(connection);
    });
  }

  /** Node would cut an idle connection at the very moment up to which its client may use it. */
  #keep({ inFlight, socket }: TrackedConnection): void {
    const { keepAliveTimeout } = this.server;
    if (inFlight > 0 || socket.destroyed) return;
    if (this.#isTakenOver) socket.setTimeout(0);
    else if (keepAliveTimeout > 0) socket.setTimeout(keepAliveTimeout + KEEP_ALIVE_MARGIN_MS);
  }

  /** A request that crossed our end cannot be answered any more, so that it must not be carried out either. */
  #guard(event: (typeof REQUEST_EVENTS)[number]): void {
    const listeners = this.server.rawListeners(event);
    this.server.removeAllListeners(event);
    this.server.on(event, (request: http.IncomingMessage, response: http.ServerResponse) => {
      if (this.connections.get(request.socket)?.endedAtMs !== undefined) return;
      for (const listener of listeners) Reflect.apply(listener, this.server, [request, response]);
    });
  }
}
