import type { GrpcWorkerData } from '@bentots/config';
import { bindRunners } from '@bentots/runner-client';
import { parseRunnerMap } from '@bentots/runner-map';
import { describeService, fingerprintOf, type Service } from '@bentots/service';
import { loadService } from '@bentots/service-loader';
import {
  compileClientSsl,
  compileSslOptions,
  type LoadedClientTls,
  loadClientTls,
  loadTlsOptions,
} from '@bentots/ssl';
import { drainHttpServer, type Worker } from '@bentots/supervisor/child';
import {
  type ApiMetrics,
  createApiMetrics,
  createLogger,
  type Logger,
  MetricsRegistry,
} from '@bentots/telemetry';
import { awaitRunners, type Readiness } from './await-runners.js';
import { createCallLog } from './call-log.js';
import type { GrpcTls } from './connections.js';
import { createGrpcApi } from './create-grpc-api.js';
import { createMetricsServer } from './metrics-server.js';
import { PROTOCOLS } from './protocols.js';
import { runShutdownHooks, runStartupHooks } from './service-hooks.js';

/**
 * One worker of the gRPC edge, from loading the service to being ready. What it opens, it registers for draining at
 * once, so that the drain runs backwards: calls end, then the shutdown hooks run, then the runners are let go.
 */
export async function runWorker(worker: Worker, data: GrpcWorkerData): Promise<void> {
  const { service } = await loadService(data.target.identifier, data.target.workingDir);
  const component = `grpc_api_server:${service.name}:${worker.workerId}`;
  const log = createLogger({ component, level: data.log.level, format: data.log.format });
  const registry = new MetricsRegistry();
  if (data.metrics.enabled) worker.snapshots(() => registry.snapshot());

  const tlsToRunners = await loadTlsToRunners(data);
  const runners = await bindRunners(service, parseRunnerMap(data.runnerMap), { log, tls: tlsToRunners });
  worker.onDrain(() => runners.close());
  await awaitAll(worker, runners.readiness, log);

  const state: Record<string, unknown> = {};
  const context = { workerId: worker.workerId, state };
  worker.onDrain(() => runShutdownHooks(service, context, log));
  await runStartupHooks(service, context);

  if (data.metricsSocket !== undefined) await serveMetrics(worker, data.metricsSocket);
  const tls = await loadTls(data);
  const scheme = tls === undefined ? 'http' : 'https';
  const logCall = createCallLog({ log, service: service.name, access: data.log.access, scheme });
  const api = await createGrpcApi({
    protocol: PROTOCOLS[data.protocolVersion],
    service,
    readiness: runners.readiness,
    isTreeHealthy: () => worker.treeHealth.crashLooping.length === 0,
    state,
    timeoutMs: data.timeoutMs,
    maxConcurrentRpcs: data.maxConcurrentRpcs,
    maxMessageBytes: data.maxMessageBytes,
    maxConcurrentStreams: data.maxConcurrentStreams,
    channelz: data.channelz,
    reflection: data.reflection,
    tls,
    metrics: data.metrics.enabled ? measure(registry, service, data) : undefined,
    onCallEnd(end) {
      worker.served();
      logCall(end);
    },
  });
  worker.onLameDuck(() => api.endReadiness());
  worker.onDrain((signal) => api.drain(signal));
  await worker.serve(data.socket, api.listener);
  worker.ready({ service: fingerprintOf(describeService(service)) });
}

/** Until the worker is told to stop: without its runners it must not open the port, and must not give up either. */
async function awaitAll(worker: Worker, readiness: Readiness, log: Logger): Promise<void> {
  const stopped = new AbortController();
  worker.onDrain(() => stopped.abort());
  await awaitRunners(readiness, {
    signal: stopped.signal,
    onWait: (names) => log.info(`waiting for runners to be ready: ${names.join(', ')}`),
  });
}

async function serveMetrics(worker: Worker, socket: string): Promise<void> {
  const server = createMetricsServer(() => worker.metricsText());
  worker.onDrain((signal, manner) => drainHttpServer(server, signal, manner));
  await worker.serve(socket, server);
}

async function loadTlsToRunners({ runnerSsl }: GrpcWorkerData): Promise<LoadedClientTls | undefined> {
  const settings = compileClientSsl(runnerSsl);
  return settings && loadClientTls(settings);
}

async function loadTls(data: GrpcWorkerData): Promise<GrpcTls | undefined> {
  const settings = compileSslOptions(data.ssl);
  return settings && { settings, loaded: await loadTlsOptions(settings) };
}

function measure(registry: MetricsRegistry, service: Service, { metrics }: GrpcWorkerData): ApiMetrics {
  return createApiMetrics(registry, {
    service: service.name,
    version: service.version ?? null,
    label: 'api_name',
    buckets: metrics.buckets,
  });
}
