import http from 'node:http';
import https from 'node:https';
import type net from 'node:net';
import type { Duplex } from 'node:stream';

/** What draining needs to know about one HTTP connection. */
export interface TrackedConnection {
  readonly socket: Duplex & { readonly bytesRead?: number };
  /** Requests that are not answered yet. */
  inFlight: number;
  /** When it last had nothing to do, and how much had been read then: more means that a request is on its way. */
  idleSinceMs: number;
  idleBytes: number;
}

/** The connections of one HTTP or HTTPS server. */
export interface ConnectionTracker {
  /** Connections that speak HTTP: for HTTPS, those whose handshake is done. */
  readonly connections: ReadonlyMap<object, TrackedConnection>;
  /** Every connection below, handshake done or not. */
  readonly transports: ReadonlySet<net.Socket>;
  /** From now on every response, those under way included, tells the client to close. */
  sayClose(): void;
}

const trackers = new WeakMap<net.Server, ConnectionTracker>();

/** Follows the connections of an HTTP or HTTPS server from now on; undefined for other servers. */
export function trackConnections(server: net.Server): ConnectionTracker | undefined {
  const isSecure = server instanceof https.Server;
  if (!isSecure && !(server instanceof http.Server)) return undefined;
  const known = trackers.get(server);
  if (known !== undefined) return known;
  const connections = new Map<object, TrackedConnection>();
  const transports = new Set<net.Socket>();
  const responses = new Set<http.ServerResponse>();
  let isLame = false;
  server.prependListener('connection', (socket: net.Socket) => {
    transports.add(socket);
    socket.once('close', () => transports.delete(socket));
  });
  server.prependListener(isSecure ? 'secureConnection' : 'connection', (socket: net.Socket) => {
    connections.set(socket, {
      socket,
      inFlight: 0,
      idleSinceMs: performance.now(),
      idleBytes: socket.bytesRead,
    });
    socket.once('close', () => connections.delete(socket));
  });
  const onRequest = (request: http.IncomingMessage, response: http.ServerResponse): void => {
    if (isLame) response.shouldKeepAlive = false;
    responses.add(response);
    const connection = connections.get(request.socket);
    if (connection !== undefined) connection.inFlight += 1;
    response.once('close', () => {
      responses.delete(response);
      if (connection === undefined) return;
      connection.inFlight -= 1;
      connection.idleSinceMs = performance.now();
      connection.idleBytes = request.socket.bytesRead;
    });
  };
  // Node emits one of these for each request, the other two instead of 'request' for `Expect` headers.
  for (const event of ['request', 'checkContinue', 'checkExpectation'])
    server.prependListener(event, onRequest);
  const sayClose = (): void => {
    isLame = true;
    for (const response of responses) response.shouldKeepAlive = false;
  };
  const tracker = { connections, transports, sayClose };
  trackers.set(server, tracker);
  return tracker;
}
