import { ServeError } from '@bentots/errors';
import type { RunnerWorkerData } from '@bentots/config';
import { PROTOCOL_VERSION } from '@bentots/runner-wire';
import type { RunnerFacts, Service } from '@bentots/service';
import type { Worker } from '@bentots/supervisor/child';
import { createRunnerMetrics, type Logger, MetricsRegistry } from '@bentots/telemetry';
import { type DynamicModule, Module } from '@nestjs/common';
import { answerCall, logFailure } from './answer-call.js';
import { FrameServer } from './frame-server.js';
import { HttpDoor } from './http-door.js';
import type { RunnableHost } from './runnable-host.js';
import { RunnerMethods } from './runner-methods.js';

/** What a worker brings to its server: all of it exists before Nest does. */
export interface RunnerServerParts {
  readonly worker: Worker;
  readonly data: RunnerWorkerData;
  readonly service: Service;
  readonly facts: RunnerFacts;
  readonly host: RunnableHost;
  readonly log: Logger;
}

/** {@link RunnerServerParts} */
const PARTS = Symbol('RunnerServerParts');

/** Tokens of what the module makes. */
export const TOKENS = {
  metrics: Symbol('MetricsRegistry'),
  methods: Symbol('RunnerMethods'),
  httpDoor: Symbol('HttpDoor'),
  frameServer: Symbol('FrameServer'),
} as const;

/** How a runner server is put together. */
@Module({})
export class RunnerServerModule {
  static of(parts: RunnerServerParts): DynamicModule {
    return {
      module: RunnerServerModule,
      providers: [
        { provide: PARTS, useValue: parts },
        { provide: TOKENS.metrics, useFactory: () => new MetricsRegistry() },
        { provide: TOKENS.methods, useFactory: createMethods, inject: [PARTS, TOKENS.metrics] },
        { provide: TOKENS.httpDoor, useFactory: createDoor, inject: [PARTS, TOKENS.methods] },
        {
          provide: TOKENS.frameServer,
          useFactory: createFrames,
          inject: [PARTS, TOKENS.methods, TOKENS.httpDoor],
        },
      ],
    };
  }
}

function createMethods(parts: RunnerServerParts, registry: MetricsRegistry): RunnerMethods {
  const { worker, data, service, facts, host } = parts;
  const batchSizes = [...facts.methods.values()]
    .filter((spec) => spec.batchable)
    .map((spec) => spec.maxBatchSize);
  const metrics = createRunnerMetrics(registry, {
    service: service.name,
    version: service.version ?? null,
    runner: facts.name,
    worker: worker.workerId,
    maxBatchSize: Math.max(1, ...batchSizes),
  });
  return new RunnerMethods({
    facts,
    host,
    metrics,
    timeoutMs: data.timeoutMs,
    onCallEnd: () => worker.served(),
    onQueueDelay: (queueDelayMs) => worker.reportLoad({ queueDelayMs }),
  });
}

function createDoor({ worker, log }: RunnerServerParts, methods: RunnerMethods): HttpDoor {
  return new HttpDoor({
    methods,
    whyNotReady: () => whyNotReady(worker),
    metricsText: () => worker.metricsText(),
    onFailure: (method, error) => logFailure(log, method, error),
  });
}

function whyNotReady({ draining, treeHealth }: Worker): string | undefined {
  if (draining) return 'this runner is stopping';
  const names = treeHealth.crashLooping.map((name) => `'${name}'`).join(', ');
  return names === '' ? undefined : `workers of ${names} crash again and again: see the server's log`;
}

function createFrames(parts: RunnerServerParts, methods: RunnerMethods, http: HttpDoor): FrameServer {
  const { worker, data, facts, log } = parts;
  return new FrameServer({
    hello: {
      runner: facts.name,
      worker: worker.workerId,
      workers: data.workers,
      protocol: PROTOCOL_VERSION,
      methods: [...facts.methods.keys()],
    },
    answer: (call) => answerCall(methods, log, call),
    isReady: () => !worker.draining,
    http,
    serve: (server) => worker.serve(data.socket, server),
  });
}

/** The runner that a worker is to serve. @throws ServeError `runner_not_found` naming the available ones. */
export function pickRunner(service: Service, name: string): RunnerFacts {
  const runner = service.runners.get(name);
  if (runner !== undefined) return runner.definition;
  const available = [...service.runners.keys()];
  throw new ServeError(
    'runner_not_found',
    `service '${service.name}' has no runner '${name}'; available: ${available.join(', ') || 'none'}`,
    { details: { runner: name, available } },
  );
}
