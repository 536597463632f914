import { fileURLToPath } from 'node:url';
import {
  type CallOptions,
  type Client,
  type ClientUnaryCall,
  credentials,
  type GrpcObject,
  loadPackageDefinition,
  type ServiceClientConstructor,
  type StatusObject,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const protos = fileURLToPath(new URL('../../apps/grpc-api/proto', import.meta.url));
const options = {
  keepCase: true,
  longs: Number,
  enums: String,
  defaults: false,
  oneofs: true,
  includeDirs: [protos],
};

/** POSTs JSON to an API and gives status and decoded answer. */
export async function postJson(
  url: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ status: number; body: unknown }> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: await response.json() };
}

/** GETs a path; text is what came, whatever the status. */
export async function get(url: string): Promise<{ status: number; text: string }> {
  const response = await fetch(url);
  return { status: response.status, text: await response.text() };
}

/** A message as proto-loader gives and takes it. */
export type Message = Record<string, unknown>;

/** A gRPC client of one service, by method name. */
export interface GrpcClient {
  call(method: string, request: Message): Promise<Message>;
  /** Calls, and tells only how that ended: status and trailers, of an error too. */
  statusOf(method: string, request: Message, timeoutMs?: number): Promise<StatusObject>;
  close(): void;
}

/** Connects to `bentoml.grpc.v1.BentoService` at `url` (`grpc://host:port` or `http://host:port`). */
export function connectGrpc(url: string): GrpcClient {
  return connect(url, 'bentoml/grpc/v1/service.proto', ['bentoml', 'grpc', 'v1', 'BentoService']);
}

/** Connects to `grpc.health.v1.Health` at `url`. */
export function connectHealth(url: string): GrpcClient {
  return connect(url, 'grpc/health/v1/health.proto', ['grpc', 'health', 'v1', 'Health']);
}

function connect(url: string, proto: string, path: readonly string[]): GrpcClient {
  const definition = loadPackageDefinition(loadSync(proto, options));
  const constructor = path.reduce<unknown>(
    (at, name) => (at as GrpcObject)[name],
    definition,
  ) as ServiceClientConstructor;
  const client = new constructor(new URL(url).host, credentials.createInsecure());
  const methodOf = (name: string): UnaryMethod => {
    const unary = client[name];
    if (!unary) throw new Error(`the service has no method ${name}`);
    return unary.bind(client) as UnaryMethod;
  };
  return {
    call: (name, request) =>
      new Promise((resolve, reject) => {
        methodOf(name)(request, {}, (error, answer) => (error === null ? resolve(answer) : reject(error)));
      }),
    statusOf: (name, request, timeoutMs) =>
      new Promise((resolve) => {
        const deadline = timeoutMs === undefined ? Infinity : Date.now() + timeoutMs;
        methodOf(name)(request, { deadline }, () => undefined).on('status', resolve);
      }),
    close: () => (client as Client).close(),
  };
}

type Done = (error: Error | null, answer: Message) => void;
type UnaryMethod = (request: Message, options: CallOptions, done: Done) => ClientUnaryCall;
