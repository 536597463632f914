import type { HttpWorkerData } from '@bentots/config';
import { createEndpoints } from '@bentots/endpoint';
import { bindRunners } from '@bentots/runner-client';
import { parseRunnerMap } from '@bentots/runner-map';
import { describeService, fingerprintOf, type Service, type WorkerContext } from '@bentots/service';
import { loadService } from '@bentots/service-loader';
import {
  compileClientSsl,
  compileSslOptions,
  type LoadedClientTls,
  loadClientTls,
  loadTlsOptions,
} from '@bentots/ssl';
import { drainHttpServer, type Worker } from '@bentots/supervisor/child';
import { createApiMetrics, createLogger, type Logger, MetricsRegistry } from '@bentots/telemetry';
import { createEdge, type Edge, type EdgeOptions } from './create-edge.js';
import type { EdgeTls } from './edge-server.js';

/**
 * The life of one worker of the HTTP edge: load the service, bind its runners, run its start-up hooks, serve the socket,
 * say so. What is undone at the end is registered as soon as it is done; the arbiter runs it backwards.
 */
export async function runWorker(worker: Worker, data: HttpWorkerData): Promise<void> {
  const { service } = await loadService(data.target.identifier, data.target.workingDir);
  const log = createLogger({
    component: `api_server:${service.name}:${worker.workerId}`,
    level: data.log.level,
    format: data.log.format,
  });
  const tlsToRunners = await loadTlsToRunners(data);
  const runners = await bindRunners(service, parseRunnerMap(data.runnerMap), { log, tls: tlsToRunners });
  worker.onDrain(() => runners.close());
  const context: WorkerContext = { workerId: worker.workerId, state: {} };
  worker.onDrain(() => runShutdownHooks(service, context, log));
  for (const hook of service.hooks.startup) await hook(context);
  const { server } = await compose({ worker, data, service, state: context.state, log, runners });
  server.on('request', (_, response) => response.once('close', () => worker.served()));
  worker.onDrain((signal, manner) => drainHttpServer(server, signal, manner));
  await worker.serve(data.socket, server);
  worker.ready({ service: fingerprintOf(describeService(service)) });
}

/** What {@link runWorker} has made so far. */
interface Parts {
  readonly worker: Worker;
  readonly data: HttpWorkerData;
  readonly service: Service;
  readonly state: Record<string, unknown>;
  readonly log: Logger;
  readonly runners: Pick<EdgeOptions['readiness'], 'readiness'>;
}

async function compose({ worker, data, service, state, log, runners }: Parts): Promise<Edge> {
  const { maxConcurrency, timeoutMs } = data;
  return createEdge({
    service,
    endpoints: createEndpoints({
      service,
      state,
      timeoutMs,
      ...(maxConcurrency !== undefined && { maxConcurrency }),
    }),
    readiness: {
      isDraining: () => worker.draining,
      crashLooping: () => worker.treeHealth.crashLooping,
      readiness: (signal) => runners.readiness(signal),
    },
    metrics: data.metrics.enabled ? createMetrics(worker, data, service) : undefined,
    log,
    access: data.log.access,
    keepAliveMs: data.keepAliveMs,
    maxBodyBytes: data.maxBodyBytes,
    hasConcurrencyLimit: maxConcurrency !== undefined,
    cors: data.cors,
    tls: await loadTls(data),
  });
}

function createMetrics(worker: Worker, data: HttpWorkerData, service: Service): EdgeOptions['metrics'] {
  const registry = new MetricsRegistry();
  worker.snapshots(() => registry.snapshot());
  const options = { service: service.name, version: service.version ?? null, label: 'endpoint' } as const;
  return {
    api: createApiMetrics(registry, { ...options, buckets: data.metrics.buckets }),
    // Of the whole tree: this process knows only its own share of the requests.
    text: () => worker.metricsText(),
  };
}

async function loadTlsToRunners({ runnerSsl }: HttpWorkerData): Promise<LoadedClientTls | undefined> {
  const settings = compileClientSsl(runnerSsl);
  return settings && loadClientTls(settings);
}

async function loadTls({ ssl }: HttpWorkerData): Promise<EdgeTls | undefined> {
  const settings = compileSslOptions(ssl);
  return settings && { settings, loaded: await loadTlsOptions(settings) };
}

async function runShutdownHooks(service: Service, context: WorkerContext, log: Logger): Promise<void> {
  for (const hook of service.hooks.shutdown) {
    try {
      await hook(context);
    } catch (error) {
      // The others have things to put away too.
      log.error('a shutdown hook failed', { error });
    }
  }
}
