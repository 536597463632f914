import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  type Client,
  credentials,
  type GrpcObject,
  loadPackageDefinition,
  type ServiceClientConstructor,
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
  return {
    call: (method, request) => {
      const unary = client[method];
      if (!unary) throw new Error(`the service has no method ${method}`);
      return promisify(unary.bind(client) as UnaryMethod)(request);
    },
    close: () => (client as Client).close(),
  };
}

type UnaryMethod = (request: Message, done: (error: Error | null, answer: Message) => void) => void;
