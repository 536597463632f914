import { fileURLToPath } from 'node:url';
import {
  type Client,
  credentials,
  type GrpcObject,
  loadPackageDefinition,
  type Metadata,
  type ServiceClientConstructor,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { Failure } from './failure.js';

const protos = fileURLToPath(new URL('../../../apps/grpc-api/proto', import.meta.url));
let service: ServiceClientConstructor | undefined;

/** A channel to a gRPC server, by which its APIs are called with JSON. */
export interface GrpcClient {
  /** Resolves with the answer's JSON, rejects with a {@link Failure}; cancels the call when `signal` aborts. */
  call(api: string, value: unknown, signal: AbortSignal): Promise<unknown>;
  close(): void;
}

/** How a channel connects. */
export interface GrpcOptions {
  /** Certificate (PEM) of a server that speaks TLS, made out to localhost. */
  readonly ca?: string;
  /** A channel whose connection failed tries again after at most so long. @default what grpc-js does: up to 2 minutes */
  readonly backOffMs?: number;
}

/** Opens a channel with a connection of its own. */
export function openGrpc(url: string, { ca, backOffMs }: GrpcOptions = {}): GrpcClient {
  service ??= loadService();
  const security = ca === undefined ? credentials.createInsecure() : credentials.createSsl(Buffer.from(ca));
  // Without a pool of its own, all clients of a process would share one connection.
  const client = new service(new URL(url).host, security, {
    'grpc.use_local_subchannel_pool': 1,
    ...(backOffMs !== undefined && { 'grpc.max_reconnect_backoff_ms': backOffMs }),
    ...(ca !== undefined && { 'grpc.ssl_target_name_override': 'localhost' }),
  });
  return {
    call: async (api, value, signal) => {
      const answer = await call(client, { api_name: api, json: encodeValue(value) }, signal);
      return decodeValue(propertyOf(answer, 'json'));
    },
    close: () => client.close(),
  };
}

/**
 * What a call that failed came to. An error that the server sent says so by its code in the metadata; all others are the
 * client library's own words for a connection that was refused, or went.
 */
export function failureOfCall(error: Pick<ServiceError, 'code' | 'details' | 'metadata'>): Failure {
  const { code, details, metadata } = error;
  const what = `${status[code]} ${details}`;
  if (code === status.UNAVAILABLE && wasSent(metadata)) return new Failure('unavailable', what);
  if (code === status.UNAVAILABLE && details.includes('ECONNREFUSED')) return new Failure('refused', what);
  return new Failure(wasSent(metadata) ? 'wrong' : 'lost', what);
}

function wasSent(metadata: Metadata | undefined): boolean {
  return metadata !== undefined && metadata.get('bentots-error-code').length > 0;
}

function loadService(): ServiceClientConstructor {
  const options = { keepCase: true, oneofs: true, includeDirs: [protos] };
  const loaded = loadPackageDefinition(loadSync('bentoml/grpc/v1/service.proto', options));
  const found = ['bentoml', 'grpc', 'v1', 'BentoService'].reduce<unknown>(
    (at, name) => (at as GrpcObject)[name],
    loaded,
  );
  return found as ServiceClientConstructor;
}

function call(client: Client, request: unknown, signal: AbortSignal): Promise<unknown> {
  const method = propertyOf(client, 'Call');
  if (typeof method !== 'function') throw new Error('the service has no method Call');
  return new Promise((resolve, reject) => {
    const running = method.call(client, request, (error: ServiceError | null, answer: unknown) => {
      signal.removeEventListener('abort', cancel);
      if (error === null) resolve(answer);
      else reject(failureOfCall(error));
    });
    const cancel = (): void => running.cancel();
    signal.addEventListener('abort', cancel, { once: true });
  });
}

/** Numbers, lists and objects of them as `google.protobuf.Value`; that is all that is asked here. */
function encodeValue(value: unknown): unknown {
  if (Array.isArray(value)) return { listValue: { values: value.map(encodeValue) } };
  if (typeof value !== 'object' || value === null) return { numberValue: value };
  const fields = Object.entries(value).map(([key, field]) => [key, encodeValue(field)]);
  return { structValue: { fields: Object.fromEntries(fields) } };
}

function decodeValue(value: unknown): unknown {
  const list = propertyOf(propertyOf(value, 'listValue'), 'values');
  if (Array.isArray(list)) return list.map(decodeValue);
  const fields = propertyOf(propertyOf(value, 'structValue'), 'fields');
  if (typeof fields !== 'object' || fields === null) return propertyOf(value, 'numberValue');
  return Object.fromEntries(Object.entries(fields).map(([key, field]) => [key, decodeValue(field)]));
}

function propertyOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}
