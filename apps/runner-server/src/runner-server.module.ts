import type { DispatcherWorkerData } from '@bentots/config';
import { PROTOCOL_VERSION } from '@bentots/runner-wire';
import type { RunnerDescription } from '@bentots/service';
import type { Worker } from '@bentots/supervisor/child';
import { createRunnerMetrics, type Logger, MetricsRegistry } from '@bentots/telemetry';
import { type DynamicModule, Module } from '@nestjs/common';
import { answerCall, logFailure } from './answer-call.js';
import { FrameServer } from './frame-server.js';
import { HttpDoor } from './http-door.js';
import { RunnerMethods } from './runner-methods.js';
import { RunnerWorkers } from './runner-workers.js';
import type { FrameTls } from './tls-server.js';

/** What the process brings to its server: all of it exists before Nest does. */
export interface RunnerServerParts {
  readonly worker: Worker;
  readonly data: DispatcherWorkerData<RunnerDescription>;
  /** Absent: plain text. */
  readonly tls: FrameTls | undefined;
  readonly log: Logger;
}

/** {@link RunnerServerParts} */
const PARTS = Symbol('RunnerServerParts');

/** Tokens of what the module makes. */
export const TOKENS = {
  metrics: Symbol('MetricsRegistry'),
  workers: Symbol('RunnerWorkers'),
  methods: Symbol('RunnerMethods'),
  httpDoor: Symbol('HttpDoor'),
  frameServer: Symbol('FrameServer'),
} as const;

/** How the public side of a runner server is put together. */
@Module({})
export class RunnerServerModule {
  static of(parts: RunnerServerParts): DynamicModule {
    // The workers wake the queues, which are made of them.
    const ring: { methods?: RunnerMethods } = {};
    const { workers, methods, httpDoor } = TOKENS;
    const createWorkers = (): RunnerWorkers => connectWorkers(parts, () => ring.methods?.wake());
    const createRing = (registry: MetricsRegistry, connected: RunnerWorkers): RunnerMethods =>
      (ring.methods = createMethods(parts, registry, connected));
    return {
      module: RunnerServerModule,
      providers: [
        { provide: PARTS, useValue: parts },
        { provide: TOKENS.metrics, useFactory: () => new MetricsRegistry() },
        { provide: workers, useFactory: createWorkers },
        { provide: methods, useFactory: createRing, inject: [TOKENS.metrics, workers] },
        { provide: httpDoor, useFactory: createDoor, inject: [PARTS, methods, workers] },
        {
          provide: TOKENS.frameServer,
          useFactory: createFrames,
          inject: [PARTS, methods, httpDoor, workers],
        },
      ],
    };
  }
}

function connectWorkers({ data, log }: RunnerServerParts, onFree: () => void): RunnerWorkers {
  return new RunnerWorkers({ runner: data.runner.name, path: data.workersPath, log, onFree });
}

function createMethods(
  { worker, data }: RunnerServerParts,
  registry: MetricsRegistry,
  workers: RunnerWorkers,
): RunnerMethods {
  const { service, runner } = data;
  const sizes = runner.methods.filter((spec) => spec.batchable).map((spec) => spec.maxBatchSize);
  const metrics = createRunnerMetrics(registry, {
    service: service.name,
    version: service.version,
    runner: runner.name,
    maxBatchSize: Math.max(1, ...sizes),
  });
  return new RunnerMethods({
    runner: {
      name: runner.name,
      methods: new Map(runner.methods.map(({ name, ...spec }) => [name, spec])),
      timeoutMs: runner.timeoutMs ?? undefined,
    },
    workers,
    metrics,
    timeoutMs: data.timeoutMs,
    whyRefused: () => (workers.size === 0 ? whyCrashLooping(worker) : undefined),
    onQueueDelay: (queueDelayMs) => worker.reportLoad({ queueDelayMs, watcher: data.watcher }),
  });
}

function createDoor(
  { worker, data, log }: RunnerServerParts,
  methods: RunnerMethods,
  workers: RunnerWorkers,
): HttpDoor {
  return new HttpDoor({
    methods,
    whyNotReady: () => whyNotReady(worker, data, workers),
    metricsText: () => worker.metricsText(),
    onFailure: (method, error) => logFailure(log, method, error),
  });
}

function whyNotReady(
  worker: Worker,
  { runner }: RunnerServerParts['data'],
  workers: RunnerWorkers,
): string | undefined {
  if (worker.draining) return 'this runner is stopping';
  const looping = whyCrashLooping(worker);
  if (looping !== undefined) return looping;
  return workers.size === 0 ? `no worker of runner '${runner.name}' is ready` : undefined;
}

function whyCrashLooping({ treeHealth }: Worker): string | undefined {
  const names = treeHealth.crashLooping.map((name) => `'${name}'`).join(', ');
  return names === '' ? undefined : `workers of ${names} crash again and again: see the server's log`;
}

function createFrames(
  { worker, data, tls, log }: RunnerServerParts,
  methods: RunnerMethods,
  http: HttpDoor,
  workers: RunnerWorkers,
): FrameServer {
  const { runner, socket } = data;
  return new FrameServer({
    hello: {
      runner: runner.name,
      worker: worker.workerId,
      workers: 1,
      protocol: PROTOCOL_VERSION,
      methods: runner.methods.map(({ name }) => name),
    },
    answer: (call) => answerCall(methods, log, call),
    isReady: () => whyNotReady(worker, data, workers) === undefined,
    http,
    tls,
    serve: (server) => worker.serve(socket, server),
  });
}
