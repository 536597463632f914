import { setTimeout as sleep } from 'node:timers/promises';
import { encodePost, HttpConnection } from './http-connection.js';
import { planPoisson } from './poisson-schedule.js';
import type { ServerTiming } from './server-timing.js';

/** Requests that are sent when they are due, whatever became of earlier ones. */
export interface OpenLoad {
  readonly url: string;
  readonly path: string;
  /** Sent in turn. */
  readonly bodies: readonly string[];
  readonly perSecond: number;
  readonly durationMs: number;
  readonly seed: number;
  /** Sent along as X-Request-Timeout. @default none */
  readonly timeoutMs?: number;
  /** Connections that are open before the first request is due; more are opened when all are busy. @default 0 */
  readonly connections?: number;
}

/** One request of an open loop; times in milliseconds from the beginning. */
export interface Sent {
  readonly dueMs: number;
  /** When it was written: later than due only by what the generator itself was late. */
  readonly sentMs: number;
  readonly endedMs: number;
  /** Of the answer; 0 when there was none. */
  readonly status: number;
  /** Of the answer. */
  readonly body: string;
  /** What the server says about its time. */
  readonly timing: ServerTiming | undefined;
}

/** Shortest time for which a timer is worth while; what is due within it is sent at once. */
const TICK_MS = 1;

/** Sends a load by its schedule and resolves when every request has ended. */
export async function runOpenLoop(load: OpenLoad): Promise<Sent[]> {
  const headers = load.timeoutMs === undefined ? [] : [`X-Request-Timeout: ${load.timeoutMs}ms`];
  const requests = load.bodies.map((body) => encodePost(load.url, load.path, body, headers));
  const [first] = requests;
  if (first === undefined) throw new Error('a load without requests');
  const idle = await openConnections(load.url, load.connections ?? 0);
  const outcomes: Promise<Sent>[] = [];
  const startedAt = performance.now();
  const elapsed = (): number => performance.now() - startedAt;
  const send = async (dueMs: number, request: Buffer): Promise<Sent> => {
    const connection = takeIdle(idle) ?? new HttpConnection(load.url);
    const sentMs = elapsed();
    const reply = await connection.ask(request).catch(() => undefined);
    const endedMs = elapsed();
    if (reply !== undefined) idle.push(connection);
    return {
      dueMs,
      sentMs,
      endedMs,
      status: reply?.status ?? 0,
      body: reply?.body ?? '',
      timing: reply?.timing,
    };
  };
  for (const [turn, dueMs] of planPoisson(load.perSecond, load.durationMs, load.seed).entries()) {
    for (let left = dueMs - elapsed(); left > 0; left = dueMs - elapsed()) {
      await sleep(Math.max(TICK_MS, Math.floor(left)));
    }
    outcomes.push(send(dueMs, requests[turn % requests.length] ?? first));
  }
  const sent = await Promise.all(outcomes);
  for (const connection of idle) connection.close();
  return sent;
}

/** So many opened at a time: fewer than servers let wait. */
const OPEN_AT_ONCE = 32;

/** Connections that somebody has answered on: whoever accepts is not in the figures. */
async function openConnections(url: string, count: number): Promise<HttpConnection[]> {
  const greeting = Buffer.from(`GET /livez HTTP/1.1\r\nHost: ${new URL(url).host}\r\n\r\n`);
  const opened: HttpConnection[] = [];
  while (opened.length < count) {
    const some = Array.from({ length: Math.min(OPEN_AT_ONCE, count - opened.length) }, async () => {
      const connection = new HttpConnection(url);
      await connection.ask(greeting);
      return connection;
    });
    opened.push(...(await Promise.all(some)));
  }
  return opened;
}

/** The connection that was used last: those that are left over may time out without being missed. */
function takeIdle(idle: HttpConnection[]): HttpConnection | undefined {
  for (let last = idle.pop(); last !== undefined; last = idle.pop()) if (!last.isClosed) return last;
  return undefined;
}
