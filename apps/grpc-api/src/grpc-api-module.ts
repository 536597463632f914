import { type DynamicModule, Module } from '@nestjs/common';
import { createEndpoints } from '@bentots/endpoint';
import type { Service } from '@bentots/service';
import type { ApiMetrics } from '@bentots/telemetry';
import { namesNotReady, type Readiness } from './await-runners.js';
import { type CallEnd, createBentoService } from './bento-service.js';
import { Health } from './health.js';
import { createHealthService, HEALTH_SERVICE } from './health-service.js';
import { InFlight } from './in-flight.js';
import type { GrpcService } from './inherited-grpc.js';
import type { Protocol } from './protocol.js';
import { createReflectionService, REFLECTION_SERVICES } from './reflection-service.js';

/** What the gRPC edge serves, and how. */
export interface GrpcApiOptions {
  /** The version of BentoML's protocol to speak. */
  readonly protocol: Protocol;
  readonly service: Service;
  readonly readiness: Readiness;
  /** Whether no worker of this server crashes again and again. @default it is */
  isTreeHealthy?(): boolean;
  /** Shared by all calls of this process: `ctx.state`. */
  readonly state: Record<string, unknown>;
  readonly timeoutMs: number;
  /** Calls that all APIs together work on at once; more are refused. Absent: no limit. */
  readonly maxConcurrentRpcs?: number | undefined;
  /** Limit of one message, in and out. */
  readonly maxMessageBytes: number;
  /** Whether clients may ask what there is to call. */
  readonly reflection: boolean;
  /** Absent: nothing is counted. */
  readonly metrics?: ApiMetrics | undefined;
  onCallEnd(end: CallEnd): void;
}

/** Tokens of what the module provides. */
export const HEALTH = Symbol('health');
export const IN_FLIGHT = Symbol('in-flight');
export const GRPC_SERVICES = Symbol('grpc-services');

const OPTIONS = Symbol('options');

/** Puts the gRPC edge together: the health that follows the runners, and the services that are registered. */
@Module({})
export class GrpcApiModule {
  static with(options: GrpcApiOptions): DynamicModule {
    return {
      module: GrpcApiModule,
      providers: [
        { provide: OPTIONS, useValue: options },
        { provide: IN_FLIGHT, useValue: new InFlight() },
        { provide: HEALTH, useFactory: createHealth, inject: [OPTIONS] },
        { provide: GRPC_SERVICES, useFactory: createServices, inject: [OPTIONS, HEALTH, IN_FLIGHT] },
      ],
    };
  }
}

function createHealth({ protocol, service, readiness, isTreeHealthy }: GrpcApiOptions): Health {
  const apis = [...service.apis.keys()].map((api) => `${service.name}/${api}`);
  return new Health({
    names: [protocol.service, HEALTH_SERVICE, service.name, ...apis],
    isReady: async () =>
      isTreeHealthy?.() !== false && namesNotReady(await readiness(AbortSignal.timeout(1000))).length === 0,
  });
}

async function createServices(
  options: GrpcApiOptions,
  health: Health,
  inFlight: InFlight,
): Promise<GrpcService[]> {
  const { protocol, service, state, timeoutMs, maxMessageBytes, metrics, onCallEnd } = options;
  const maxConcurrency = options.maxConcurrentRpcs ?? Infinity;
  const bento = createBentoService({
    protocol,
    service,
    endpoints: createEndpoints({ service, state, timeoutMs, maxConcurrency }),
    inFlight,
    maxMessageBytes,
    metrics,
    onEnd: onCallEnd,
  });
  return [
    bento,
    createHealthService(health),
    ...(options.reflection ? await createReflection(protocol) : []),
  ];
}

async function createReflection({ service }: Protocol): Promise<GrpcService[]> {
  // Only now: what reads descriptors costs every worker a tenth of its start.
  const { loadDescriptorFiles } = await import('./descriptor-files.js');
  const files = await loadDescriptorFiles();
  const names = [service, HEALTH_SERVICE, ...REFLECTION_SERVICES];
  return REFLECTION_SERVICES.map((name) => createReflectionService(name, names, files));
}
