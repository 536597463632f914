import type { Server } from 'node:http';
import type { CorsConfig } from '@bentots/config';
import type { Endpoint } from '@bentots/endpoint';
import type { Service } from '@bentots/service';
import type { ApiMetrics, Logger } from '@bentots/telemetry';
import { NestFactory } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { registerApiRoutes } from './api-routes.js';
import { addObserver, createFastify } from './create-fastify.js';
import { EdgeAdapter } from './edge-adapter.js';
import type { EdgeTls } from './edge-server.js';
import { EdgeModule } from './edge.module.js';
import type { ExchangeObserver } from './exchange.js';
import { listRoutes } from './known-routes.js';
import type { MetricsText } from './metrics.controller.js';
import { createNestLog } from './nest-log.js';
import { describeOpenApi } from './openapi.js';
import { ProblemFilter } from './problem.filter.js';
import type { ReadinessSource } from './readiness.js';
import { registerCors } from './register-cors.js';

/** What the edge serves, and within which limits. */
export interface EdgeOptions {
  readonly service: Service;
  /** The service's APIs by name. */
  readonly endpoints: ReadonlyMap<string, Endpoint>;
  readonly readiness: ReadinessSource;
  /** Both absent: metrics are off. */
  readonly metrics?: { readonly api: ApiMetrics; readonly text: MetricsText } | undefined;
  readonly log: Logger;
  /** Whether every exchange gets its access line. */
  readonly access: boolean;
  readonly keepAliveMs: number;
  readonly maxBodyBytes: number;
  /** Whether calls above a limit are refused; for the description. */
  readonly hasConcurrencyLimit: boolean;
  /** Absent: no page of another origin may call. */
  readonly cors?: CorsConfig | undefined;
  /** Absent: plain HTTP. */
  readonly tls?: EdgeTls | undefined;
}

/** The HTTP edge, ready to be given connections. */
export interface Edge {
  /** Does not listen yet. */
  readonly server: Server;
  /** Ends what Nest and Fastify hold; connections are to be drained before. */
  close(): Promise<void>;
}

/**
 * Composes the edge of two parts beside each other on one Fastify instance: the API routes, and Nest with the health,
 * metrics and documentation controllers. Hooks are inherited downwards only, so that none of Nest's stands in the way of
 * a call.
 */
export async function createEdge(options: EdgeOptions): Promise<Edge> {
  const { service, endpoints, maxBodyBytes, keepAliveMs, log, tls, metrics } = options;
  const observer: ExchangeObserver = {
    service: service.name,
    metrics: metrics?.api,
    log,
    access: options.access,
    scheme: tls === undefined ? 'http' : 'https',
  };
  const known = listRoutes(service, metrics !== undefined);
  const fastify = createFastify({ maxBodyBytes, keepAliveMs, tls, observer, known });
  if (options.cors !== undefined) {
    // Before its hook, which answers preflights: they are counted and logged too.
    addObserver(fastify, { observer, known });
    await registerCors(fastify, options.cors);
  }
  await fastify.register((instance, _, done) => {
    registerApiRoutes(instance, { endpoints, maxBodyBytes, observer });
    done();
  });
  await fastify.register(async (instance) => {
    addObserver(instance, { observer, known });
    await initNest(instance, options);
  });
  await fastify.ready();
  return { server: fastify.server, close: () => fastify.close() };
}

async function initNest(fastify: FastifyInstance, options: EdgeOptions): Promise<void> {
  const { service, hasConcurrencyLimit, metrics, readiness, log } = options;
  const document = describeOpenApi({ service, hasConcurrencyLimit, hasMetrics: metrics !== undefined });
  const module = EdgeModule.with({
    readiness,
    apis: service.apis,
    metricsText: metrics?.text,
    openapi: JSON.stringify(document),
  });
  const app = await NestFactory.create(module, new EdgeAdapter(fastify), {
    bodyParser: false,
    logger: createNestLog(log),
    abortOnError: false,
  });
  app.useGlobalFilters(new ProblemFilter(log));
  await app.init();
}
