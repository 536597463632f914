import type http from 'node:http';
import type https from 'node:https';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import {
  type ConnectionTracker,
  KEEP_ALIVE_MARGIN_MS,
  trackConnections,
  type TrackedConnection,
} from './track-connections.js';

/** How an HTTP server is drained. */
export interface DrainHttpOptions {
  /**
   * Whether idle connections are closed soon, though a request may just be coming: somebody waits at a terminal. Looked
   * at again and again, as it may become true. @default false
   */
  readonly hurry?: boolean;
  /**
   * An idle connection is closed after so long; until then its next request is still served. @default as long as its
   * client was told (`server.keepAliveTimeout`) and a second more; in a hurry 500
   */
  readonly quietMs?: number;
}

/**
 * Follows the connections of a server from now on, so that it can be drained. `worker.serve` does so; a server that is
 * handed its connections in another way has to be followed before the first.
 */
export function trackHttpServer(server: http.Server | https.Server): void {
  trackConnections(server);
}

const CHECK_MS = 20;
const HURRIED_QUIET_MS = 500;
/** For servers that tell their clients nothing. */
const UNTOLD_QUIET_MS = 5000;
/** After our end the client has so long to close its side; what it still sends is read, so that nothing is reset. */
const LINGER_MS = 1000;
/** When the time is over, idle clients get so long to read that they are not served any more. */
const FAREWELL_MS = 200;

/**
 * Ends the connections of a server that accepts no new ones, without a reset: requests in flight and those that still
 * come on open connections are served, with `Connection: close`. An idle connection stays open for as long as its client
 * was told that it may use it, because nothing but its end can tell the client to go, and a request that crosses that
 * end is lost. Resolves when all are closed, or soon after `signal` aborts: then what is left is destroyed.
 *
 * Not `server.close()`: since Node 19 it destroys idle keep-alive connections, on which a request may just be arriving.
 */
export async function drainHttpServer(
  server: http.Server | https.Server,
  signal: AbortSignal,
  options: DrainHttpOptions = {},
): Promise<void> {
  const tracker = trackConnections(server);
  if (tracker === undefined) return;
  tracker.sayClose();
  tracker.takeOver();
  const startedAt = performance.now();
  while (tracker.transports.size > 0 && !signal.aborted) {
    await sleep(CHECK_MS, undefined, { signal }).catch(() => undefined);
    // Silence is judged as of now, after the loop has read what has arrived until now: a loop that was busy must not
    // take requests that wait to be read for silence.
    const now = performance.now();
    await nextTurn();
    closeQuiet(tracker, { now, startedAt, ...pickLimits(server, options) });
  }
  await sayFarewell(tracker);
}

interface Limits {
  readonly now: number;
  readonly startedAt: number;
  /** Since the last answer, but at least `minQuietMs` since the start. */
  readonly quietMs: number;
  readonly minQuietMs: number;
}

function pickLimits(
  server: http.Server,
  { quietMs, hurry }: DrainHttpOptions,
): Omit<Limits, 'now' | 'startedAt'> {
  if (quietMs !== undefined) return { quietMs, minQuietMs: quietMs };
  if (hurry === true) return { quietMs: HURRIED_QUIET_MS, minQuietMs: HURRIED_QUIET_MS };
  const toldMs = server.keepAliveTimeout > 0 ? server.keepAliveTimeout : UNTOLD_QUIET_MS;
  return { quietMs: toldMs + KEEP_ALIVE_MARGIN_MS, minQuietMs: HURRIED_QUIET_MS };
}

function closeQuiet(tracker: ConnectionTracker, { now, startedAt, quietMs, minQuietMs }: Limits): void {
  for (const connection of tracker.connections.values()) {
    const { endedAtMs, idleSinceMs, socket } = connection;
    if (endedAtMs !== undefined) {
      if (now - endedAtMs >= LINGER_MS) socket.destroy();
    } else if (isIdle(connection) && now >= Math.max(idleSinceMs + quietMs, startedAt + minQuietMs)) {
      end(connection);
    }
  }
  // Handshakes that were never finished: nobody waits for an answer there.
  const isOver = tracker.connections.size === 0 && now - startedAt >= 2 * quietMs;
  if (isOver) for (const transport of tracker.transports) transport.destroy();
}

/** The time is over: idle clients are told so, requests that are not answered are given up. */
async function sayFarewell(tracker: ConnectionTracker): Promise<void> {
  for (const connection of tracker.connections.values()) {
    if (connection.endedAtMs !== undefined) continue;
    if (isIdle(connection)) end(connection);
    else connection.socket.destroy();
  }
  const until = performance.now() + FAREWELL_MS;
  while (tracker.connections.size > 0 && performance.now() < until) await sleep(CHECK_MS);
  for (const transport of tracker.transports) transport.destroy();
}

function end(connection: TrackedConnection): void {
  connection.endedAtMs = performance.now();
  connection.socket.end();
}

function isIdle({ inFlight, socket, idleBytes }: TrackedConnection): boolean {
  return inFlight === 0 && socket.bytesRead === idleBytes;
}
