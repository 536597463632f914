import { validateHeaderName, validateHeaderValue } from 'node:http';
import { type Endpoint, formatServerTiming, type Outcome } from '@bentots/endpoint';
import { ServeError } from '@bentots/errors';
import type { EncodedBody } from '@bentots/service';
import type { Logger } from '@bentots/telemetry';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Exchange, type ExchangeObserver } from './exchange.js';
import { HttpCall } from './http-call.js';
import { toServeError } from './problem.js';
import { readBody } from './read-body.js';
import { sendProblem } from './send.js';

/** What the API routes are made of. */
export interface ApiRoutesOptions {
  readonly endpoints: ReadonlyMap<string, Endpoint>;
  readonly maxBodyBytes: number;
  readonly observer: ExchangeObserver;
}

/** Registers `POST <route>` for every API; on an instance of their own, as all of its bodies are read as bytes. */
export function registerApiRoutes(fastify: FastifyInstance, options: ApiRoutesOptions): void {
  const { endpoints, maxBodyBytes, observer } = options;
  fastify.removeAllContentTypeParsers();
  // Every type, also none: the input descriptor knows what it reads. An expression and not '*', which Fastify would
  // look for again with every request.
  fastify.addContentTypeParser(/^/, (request, payload, done) => {
    const encoding = request.headers['content-encoding'];
    if (encoding !== undefined && encoding.toLowerCase() !== 'identity') done(wrongEncoding(encoding));
    else readBody(request.raw, maxBodyBytes, done);
  });
  for (const endpoint of endpoints.values()) {
    const { route } = endpoint.api;
    fastify.route({
      method: 'POST',
      url: route,
      onRequest: (request, reply, done) => {
        if (request.exchange === null) Exchange.begin(observer, request, reply, route);
        done();
      },
      handler: (request, reply) => answer(endpoint, observer.log, request, reply),
    });
  }
}

function answer(endpoint: Endpoint, log: Logger, request: FastifyRequest, reply: FastifyReply): void {
  const { exchange } = request;
  if (exchange === null) throw new Error('a request came to its handler without its first hook');
  const call = new HttpCall(request, exchange);
  const tellTiming = (): void => {
    const timing = formatServerTiming(call.runnerCalls, exchange.startMs);
    if (timing !== undefined) reply.header('server-timing', timing);
  };
  endpoint.invoke(call).then(
    (outcome) => {
      tellTiming();
      send(log, request, reply, outcome);
    },
    (error: unknown) => {
      tellTiming();
      sendProblem(log, request, reply, toServeError(error));
    },
  );
}

/** Headers that say how the answer is framed are the server's alone. */
const FRAMING = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

function send(
  log: Logger,
  request: FastifyRequest,
  reply: FastifyReply,
  { result, response }: Outcome<EncodedBody>,
): void {
  try {
    if (response.status !== undefined) reply.code(response.status);
    reply.header('content-type', result.contentType);
    if (result.headers !== undefined) reply.headers(result.headers);
    for (const [name, value] of Object.entries(response.metadata)) setHeader(reply, name, value);
    reply.header('x-bentoml-request-id', request.exchange?.trace.spanId);
    void reply.send(result.bytes);
  } catch (error) {
    // A status or header of the user's that HTTP does not allow.
    for (const name of Object.keys(reply.getHeaders())) {
      if (!KEPT.test(name)) reply.removeHeader(name);
    }
    sendProblem(log, request, reply, toServeError(error));
  }
}

/** What an error has too: what a page of another origin needs to be shown any answer, and where the time went. */
const KEPT = /^(access-control-|vary$|server-timing$)/;
/** Lists to which both the server and a function may add. */
const LISTS = new Set(['vary', 'server-timing']);

/** Throws for what is no header, before it is set: Node would only when it sends all of them. */
function setHeader(reply: FastifyReply, given: string, value: string): void {
  const name = given.toLowerCase();
  if (FRAMING.has(name)) return;
  validateHeaderName(name);
  validateHeaderValue(name, value);
  const ours = LISTS.has(name) ? reply.getHeader(name) : undefined;
  reply.header(name, ours === undefined ? value : `${String(ours)}, ${value}`);
}

function wrongEncoding(encoding: string): ServeError {
  const message = `content-encoding '${encoding}' is not read; send the body as it is`;
  return new ServeError('unsupported_media_type', message);
}
