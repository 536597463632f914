import type { Server } from 'node:http';
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { createEdgeServer, type EdgeServerOptions } from './edge-server.js';
import { Exchange, type ExchangeObserver } from './exchange.js';
import { explainNoRoute, type KnownRoutes, labelOf } from './known-routes.js';
import { toServeError } from './problem.js';
import { sendProblem } from './send.js';

/** What {@link createFastify} needs. */
export interface FastifyOptions extends EdgeServerOptions {
  readonly observer: ExchangeObserver;
  readonly known: KnownRoutes;
}

/**
 * The Fastify instance of the edge, still without routes. Whatever goes wrong in it, also before any route is found, is
 * answered as problem+json, counted and logged.
 */
export function createFastify(options: FastifyOptions): FastifyInstance<Server> {
  const { maxBodyBytes, observer, known } = options;
  const refuse = (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    observe(options, request, reply);
    sendProblem(observer.log, request, reply, toServeError(error));
  };
  const instance = fastify({
    serverFactory: (handler) => createEdgeServer(handler, options),
    bodyLimit: maxBodyBytes,
    logger: false,
    frameworkErrors: refuse,
  });
  instance.decorateRequest('exchange', null);
  // Else a body for an unknown path would be parsed, and could be refused for its form.
  instance.removeAllContentTypeParsers();
  instance.setErrorHandler(refuse);
  instance.setNotFoundHandler((request, reply) => {
    refuse(explainNoRoute(known, request.method, request.raw.url), request, reply);
  });
  return instance;
}

/** Has every request that `instance` routes begin its exchange. */
export function addObserver(
  instance: FastifyInstance,
  options: Pick<FastifyOptions, 'observer' | 'known'>,
): void {
  instance.addHook('onRequest', (request, reply, done) => {
    observe(options, request, reply);
    done();
  });
}

/** Begins the exchange of what is no API call, if nothing has: probes, pages, unknown paths, what cannot be routed. */
function observe(
  { observer, known }: Pick<FastifyOptions, 'observer' | 'known'>,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  if (request.exchange) return;
  const { url: route = '' } = request.routeOptions;
  Exchange.begin(observer, request, reply, known.has(route) ? route : labelOf(known, request.raw.url));
}
