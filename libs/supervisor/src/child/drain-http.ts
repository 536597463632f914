import type http from 'node:http';
import type https from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ConnectionTracker, trackConnections, type TrackedConnection } from './track-connections.js';

/** How an HTTP server is drained. */
export interface DrainHttpOptions {
  /** An idle keep-alive connection is closed after so long: until then its next request is still served. @default 500 */
  readonly quietMs?: number;
}

const CHECK_MS = 20;

/**
 * Ends the connections of a server that accepts no new ones, without a reset: requests in flight and those that still
 * come on open connections are served, with `Connection: close`; idle connections are closed after `quietMs`. Resolves
 * when all are closed, or at once when `signal` aborts: then what is left is destroyed.
 *
 * Not `server.close()`: since Node 19 it destroys idle keep-alive connections, on which a request may just be arriving.
 */
export async function drainHttpServer(
  server: http.Server | https.Server,
  signal: AbortSignal,
  options: DrainHttpOptions = {},
): Promise<void> {
  const { quietMs = 500 } = options;
  const tracker = trackConnections(server);
  if (tracker === undefined) return;
  tracker.sayClose();
  const startedAt = performance.now();
  while (tracker.transports.size > 0 && !signal.aborted) {
    closeQuiet(tracker, startedAt, quietMs);
    await sleep(CHECK_MS, undefined, { signal }).catch(() => undefined);
  }
  for (const transport of tracker.transports) transport.destroy();
}

function closeQuiet(tracker: ConnectionTracker, startedAt: number, quietMs: number): void {
  const now = performance.now();
  const idle = [...tracker.connections.values()].filter((connection) => isIdle(connection));
  for (const connection of idle) {
    if (now - Math.max(connection.idleSinceMs, startedAt) >= quietMs) connection.socket.end();
  }
  // Handshakes that were never finished: nobody waits for an answer there.
  const isOver = tracker.connections.size === 0 && now - startedAt >= 2 * quietMs;
  if (isOver) for (const transport of tracker.transports) transport.destroy();
}

function isIdle({ inFlight, socket, idleBytes }: TrackedConnection): boolean {
  return inFlight === 0 && (socket.bytesRead ?? 0) === idleBytes;
}
