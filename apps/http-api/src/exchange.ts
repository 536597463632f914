import { performance } from 'node:perf_hooks';
import {
  type ApiMetrics,
  createTraceContext,
  type EndRequest,
  formatHttpAccess,
  type Logger,
  parseTraceparent,
  type TraceContext,
} from '@bentots/telemetry';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ClientConnection } from './client-connection.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by the first hook of every request. */
    exchange: Exchange | null;
  }
}

/** What is told about every exchange. */
export interface ExchangeObserver {
  readonly service: string;
  /** Absent: metrics are off. */
  readonly metrics: ApiMetrics | undefined;
  readonly log: Logger;
  /** Whether each exchange gets its access line. */
  readonly access: boolean;
  readonly scheme: 'http' | 'https';
}

/** The status of an exchange whose client went away before its answer was out. */
const CLIENT_CLOSED_REQUEST = 499;

/**
 * One request and its answer, from the first hook until the last byte or the hang-up: whatever happens between, it is
 * counted and logged exactly once.
 */
export class Exchange {
  /** When it began, by the clock of `performance.now()`. */
  readonly startMs = performance.now();
  private readonly end: EndRequest | undefined;
  private readonly connection: ClientConnection;
  private context: TraceContext | undefined;

  private constructor(
    private readonly observer: ExchangeObserver,
    private readonly request: FastifyRequest,
    private readonly reply: FastifyReply,
    endpoint: string,
  ) {
    this.end = observer.metrics?.begin(endpoint);
    this.connection = ClientConnection.of(request.raw.socket);
  }

  /** To be called once for each request, before anything can answer it. `endpoint` is its metric label. */
  static begin(
    observer: ExchangeObserver,
    request: FastifyRequest,
    reply: FastifyReply,
    endpoint: string,
  ): void {
    const exchange = new Exchange(observer, request, reply, endpoint);
    request.exchange = exchange;
    // Fastify's onResponse hook misses answers that were never finished; `close` comes for every one.
    reply.raw.on('close', () => exchange.finish());
  }

  /** The span of this request: a child of the client's, when it sent one. */
  get trace(): TraceContext {
    this.context ??= createTraceContext(parseTraceparent(textOf(this.request.headers['traceparent'])));
    return this.context;
  }

  /** Aborted when the client goes away. */
  get signal(): AbortSignal {
    return this.connection.signal;
  }

  private finish(): void {
    const { raw } = this.reply;
    const status = raw.writableFinished ? raw.statusCode : CLIENT_CLOSED_REQUEST;
    this.end?.(status);
    if (this.observer.access) this.logAccess(status);
  }

  private logAccess(status: number): void {
    const { request, reply, observer } = this;
    const line = formatHttpAccess({
      peer: this.connection.peer,
      scheme: observer.scheme,
      method: request.method,
      path: pathOf(request.raw.url),
      requestType: request.headers['content-type'],
      requestLength: request.headers['content-length'],
      status,
      responseType: textOf(reply.getHeader('content-type')),
      responseLength: textOf(reply.getHeader('content-length')),
      durationMs: performance.now() - this.startMs,
    });
    observer.log.info(line, { trace: this.trace, service: observer.service });
  }
}

/** The path of a request target, without the query, which may hold what must not be in a log. */
export function pathOf(url: string | undefined): string {
  if (url === undefined) return '';
  const end = url.indexOf('?');
  return end < 0 ? url : url.slice(0, end);
}

function textOf(value: number | string | string[] | undefined): string | undefined {
  if (value === undefined) return undefined;
  return Array.isArray(value) ? value.join(', ') : String(value);
}
