import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  type ServiceDefinition,
  status,
} from '@grpc/grpc-js';
import type { Health } from './health.js';
import type { GrpcService } from './inherited-grpc.js';
import {
  HealthCheckRequest,
  HealthCheckResponse,
  type HealthCheckResponse_ServingStatus as ServingStatus,
  HealthListRequest,
  HealthListResponse,
} from './wire/grpc/health/v1/health.gen.js';

/** The name under which the health service itself is registered. */
export const HEALTH_SERVICE = 'grpc.health.v1.Health';

/** `grpc.health.v1.Health` over the wire: Check, List and Watch of the given state. */
export function createHealthService(health: Health): GrpcService {
  const check: handleUnaryCall<HealthCheckRequest, HealthCheckResponse> = (call, callback) => {
    void health.check(call.request.service).then((found) => {
      if (found !== undefined) return callback(null, { status: found });
      callback({ code: status.NOT_FOUND, details: `unknown service '${call.request.service}'` });
    });
  };
  const list: handleUnaryCall<HealthListRequest, HealthListResponse> = (_call, callback) => {
    void health.list().then((states) => callback(null, { statuses: toResponses(states) }));
  };
  const watch: handleServerStreamingCall<HealthCheckRequest, HealthCheckResponse> = (call) => {
    const tell = (state: ServingStatus): void => void call.write({ status: state });
    const end = (): void =>
      void call.emit('error', { code: status.UNAVAILABLE, details: 'the server is stopping' });
    const forget = health.watch(call.request.service, tell, end);
    call.on('cancelled', forget);
  };
  return { definition: DEFINITION, implementation: { check, list, watch } };
}

function toResponses(states: Readonly<Record<string, ServingStatus>>): HealthListResponse['statuses'] {
  return Object.fromEntries(Object.entries(states).map(([name, state]) => [name, { status: state }]));
}

interface Codec<T> {
  encode(message: T): { finish(): Uint8Array };
  decode(bytes: Uint8Array): T;
}

function method<I, O>(name: string, request: Codec<I>, response: Codec<O>, responseStream = false) {
  return {
    path: `/${HEALTH_SERVICE}/${name}`,
    requestStream: false,
    responseStream,
    requestSerialize: (message: I) => Buffer.from(request.encode(message).finish()),
    requestDeserialize: (bytes: Buffer) => request.decode(bytes),
    responseSerialize: (message: O) => Buffer.from(response.encode(message).finish()),
    responseDeserialize: (bytes: Buffer) => response.decode(bytes),
  } as const;
}

const DEFINITION: ServiceDefinition = {
  check: method('Check', HealthCheckRequest, HealthCheckResponse),
  list: method('List', HealthListRequest, HealthListResponse),
  watch: method('Watch', HealthCheckRequest, HealthCheckResponse, true),
};
