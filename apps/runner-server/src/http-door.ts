import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { httpStatusOf, ServeError } from '@bentots/errors';
import type { RunnerValue } from '@bentots/service';
import { type DrainManner, drainHttpServer, trackHttpServer } from '@bentots/supervisor/child';
import { formatJson, formatJsonAnswer, parseJsonArgs } from './json-call.js';
import type { MethodCall } from './method-call.js';
import type { RunnerMethods } from './runner-methods.js';

/** What the HTTP door opens to. */
export interface HttpDoorInit {
  readonly methods: RunnerMethods;
  /** What makes this server not ready, in words; undefined when it is. */
  whyNotReady(): string | undefined;
  /** The merged metrics of all workers. */
  metricsText(): Promise<string>;
  /** Told what failed, before the answer is sent. */
  onFailure(method: string, error: unknown): void;
}

/** Bodies are for trying things out; tensors of real size belong on the wire. */
const MAX_BODY_BYTES = 16 * 1024 * 1024;

const PROBES: readonly string[] = ['/livez', '/healthz', '/readyz', '/metrics'];

/**
 * Plain HTTP for probes, scrapers and people with curl: `GET /livez /healthz /readyz /metrics`, and `POST /<method>`
 * with JSON in and JSON out. It does not listen: connections that speak HTTP are handed to it. Each of them carries one
 * request, so that stopping never has to guess whether another one is on its way.
 */
export class HttpDoor {
  readonly #server: Server;

  constructor(init: HttpDoorInit) {
    this.#server = createServer((request, response) => {
      response.shouldKeepAlive = false;
      answer(init, request, response).catch((error: unknown) =>
        sendProblem(response, ServeError.from(error)),
      );
    });
    trackHttpServer(this.#server);
  }

  /** Serves a connection; what was read of it was put back. */
  adopt(socket: Socket): void {
    this.#server.emit('connection', socket);
  }

  /**
   * Resolves when every connection is over: those with a request when it is answered, the others when none has come for
   * a while, all soon after `signal` aborts.
   */
  async drain(signal: AbortSignal, manner: DrainManner): Promise<void> {
    await drainHttpServer(this.#server, signal, manner);
  }
}

async function answer(init: HttpDoorInit, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [path = '/'] = (request.url ?? '/').split('?');
  if (!PROBES.includes(path)) return answerCall(init, path, request, response);
  checkVerb(request, path, ['GET', 'HEAD']);
  if (path === '/metrics') {
    return send(response, 200, 'text/plain; version=0.0.4; charset=utf-8', await init.metricsText());
  }
  const problem = path === '/readyz' ? init.whyNotReady() : undefined;
  if (problem !== undefined) throw new ServeError('unavailable', problem);
  send(response, 200, 'text/plain; charset=utf-8', '\n');
}

function checkVerb(request: IncomingMessage, path: string, allowed: readonly string[]): void {
  const verb = request.method ?? 'GET';
  if (allowed.includes(verb)) return;
  throw new ServeError('method_not_allowed', `${path} is for ${allowed.join(' and ')}, not for ${verb}`, {
    details: { allowed },
  });
}

function noSuchPath(path: string): ServeError {
  return new ServeError('not_found', `there is no ${path}; POST /<method>, or GET ${PROBES.join(' ')}`);
}

async function answerCall(
  { methods, onFailure }: HttpDoorInit,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const method = path.slice(1);
  if (!/^[\w$]+$/.test(method)) throw noSuchPath(path);
  // A path that does not exist says so before its verb does.
  const spec = methods.specOf(method);
  checkVerb(request, path, ['POST']);
  const args = parseJsonArgs(await readBody(request), spec);
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort(new ServeError('cancelled', 'the caller went away'));
  });
  const call: MethodCall = { method, args, signal: gone.signal };
  try {
    if (spec.stream) return await streamLines(methods, call, response);
    const { contentType, body } = formatJsonAnswer(await methods.run(call));
    send(response, 200, contentType, body);
  } catch (error) {
    onFailure(method, error);
    throw error;
  }
}

/** One line of JSON per value; an error in the middle is a last line `{"error": …}`, and the connection is cut. */
async function streamLines(
  methods: RunnerMethods,
  call: MethodCall,
  response: ServerResponse,
): Promise<void> {
  const take = async (value: RunnerValue): Promise<void> => {
    if (!response.headersSent) response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    if (response.write(`${formatJson(value)}\n`)) return;
    await new Promise((resolve) => response.once('drain', resolve));
  };
  await methods.stream(call, take);
  if (!response.headersSent) response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  response.end();
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  const state = { bytes: 0 };
  const parts: AsyncIterable<Buffer> = request;
  for await (const chunk of parts) {
    state.bytes += chunk.length;
    if (state.bytes > MAX_BODY_BYTES) {
      throw new ServeError(
        'payload_too_large',
        `the body is over ${MAX_BODY_BYTES} bytes; use a runner client`,
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function send(
  response: ServerResponse,
  status: number,
  contentType: string,
  body: string | Uint8Array,
): void {
  response.writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

/** `application/problem+json` (RFC 9457), or the last line of a stream that has begun. */
function sendProblem(response: ServerResponse, error: ServeError): void {
  if (response.destroyed) return;
  if (response.headersSent) {
    response.write(`${JSON.stringify({ error })}\n`, () => response.destroy());
    return;
  }
  const status = httpStatusOf(error.code);
  const { code, message: detail, details } = error;
  const problem = { type: 'about:blank', title: code, status, detail, code, ...(details && { details }) };
  const retryAfterMs = details?.['retryAfterMs'];
  if (typeof retryAfterMs === 'number') {
    response.setHeader('retry-after', Math.max(1, Math.ceil(retryAfterMs / 1000)));
  }
  const allowed = details?.['allowed'];
  if (code === 'method_not_allowed' && Array.isArray(allowed))
    response.setHeader('allow', allowed.join(', '));
  send(response, status, 'application/problem+json', `${JSON.stringify(problem)}\n`);
}
