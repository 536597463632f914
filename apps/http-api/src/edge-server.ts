import http from 'node:http';
import https from 'node:https';
import type { Duplex } from 'node:stream';
import { ServeError } from '@bentots/errors';
import { guardClientCertificates, type LoadedTls, type SslSettings } from '@bentots/ssl';
import { PROBLEM_TYPE, toProblem } from './problem.js';

/** Certificates and who must show one. */
export interface EdgeTls {
  readonly settings: SslSettings;
  readonly loaded: LoadedTls;
}

/** What {@link createEdgeServer} needs. */
export interface EdgeServerOptions {
  /** How long an idle connection is kept. */
  readonly keepAliveMs: number;
  /** Absent: plain HTTP. */
  readonly tls?: EdgeTls | undefined;
  /** What asks whether it may send a longer body is not told to go on. */
  readonly maxBodyBytes: number;
}

/** Slow senders of headers are cut after this. */
const HEADERS_TIMEOUT_MS = 20_000;
/** Slow senders of bodies are cut after this. */
const REQUEST_TIMEOUT_MS = 300_000;
/** How often Node looks for slow senders. */
const CHECK_INTERVAL_MS = 5_000;

/** The server of the edge, with bounds of time and size on every connection; it does not listen yet. */
export function createEdgeServer(
  handler: http.RequestListener,
  { keepAliveMs, tls, maxBodyBytes }: EdgeServerOptions,
): http.Server {
  const settings = {
    keepAliveTimeout: keepAliveMs,
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionsCheckingInterval: CHECK_INTERVAL_MS,
  };
  const server = createBareServer(handler, settings, tls);
  server.on('clientError', answerClientError);
  answerExpectations(server, handler, maxBodyBytes);
  return server;
}

/**
 * Clients ask with `Expect: 100-continue` whether they may send a long body (curl does so from 1 MB on). Node answers by
 * itself only as long as nobody listens to these events, and whoever follows the connections of a server does.
 */
function answerExpectations(server: http.Server, handler: http.RequestListener, maxBodyBytes: number): void {
  server.on('checkContinue', (request: http.IncomingMessage, response: http.ServerResponse) => {
    const isTooLong = Number(request.headers['content-length'] ?? 0) > maxBodyBytes;
    // The body that is refused never comes, so the connection cannot go on.
    if (isTooLong) response.shouldKeepAlive = false;
    else response.writeContinue();
    handler(request, response);
  });
  server.on('checkExpectation', (_: http.IncomingMessage, response: http.ServerResponse) => {
    response.writeHead(417, { connection: 'close' }).end();
  });
}

function createBareServer(
  handler: http.RequestListener,
  settings: http.ServerOptions,
  tls: EdgeTls | undefined,
): http.Server {
  if (tls === undefined) return http.createServer(settings, handler);
  const server = https.createServer({ ...settings, ...tls.loaded }, handler);
  guardClientCertificates(server, tls.settings);
  return server;
}

/** A request that Node could not read: there is no request object to answer, only the connection. */
function answerClientError(error: Error & { code?: string }, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const { status, title, detail } = describeClientError(error.code);
  const { body } = toProblem(new ServeError('invalid_argument', detail));
  const problem = JSON.stringify({ ...JSON.parse(body), title, status });
  const head = [
    `HTTP/1.1 ${status} ${title}`,
    `content-type: ${PROBLEM_TYPE}`,
    `content-length: ${Buffer.byteLength(problem)}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${problem}`);
}

function describeClientError(code: string | undefined): { status: number; title: string; detail: string } {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return {
        status: 431,
        title: 'Request Header Fields Too Large',
        detail: `the headers have more than ${http.maxHeaderSize} bytes`,
      };
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return { status: 408, title: 'Request Timeout', detail: 'the request did not arrive in time' };
    default:
      return { status: 400, title: 'Bad Request', detail: 'this is no HTTP request that can be read' };
  }
}
