import {
  type CallOptions,
  ChannelCredentials,
  Client,
  type ClientUnaryCall,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import { protocolV1 } from '../src/protocol-v1.js';
import {
  Request,
  Response,
  ServiceMetadataRequest,
  ServiceMetadataResponse,
} from '../src/wire/bentoml/grpc/v1/service.gen.js';
import {
  HealthCheckRequest,
  HealthCheckResponse,
  type HealthCheckResponse_ServingStatus as ServingStatus,
  HealthListRequest,
  HealthListResponse,
} from '../src/wire/grpc/health/v1/health.gen.js';

interface Codec<T> {
  encode(message: T): { finish(): Uint8Array };
  decode(bytes: Uint8Array): T;
}

/** What a client sees of one answered call. */
export interface Answer<T> {
  readonly value: T;
  readonly initial: Metadata;
  readonly trailing: Metadata;
}

export interface CallSettings extends CallOptions {
  readonly metadata?: Readonly<Record<string, string>>;
  /** Told the running call, to cancel it. */
  readonly onCall?: (call: ClientUnaryCall) => void;
}

/** A client as any other program has it, over a connection of its own. */
export class TestClient {
  readonly client: Client;

  constructor(address: string, credentials: ChannelCredentials = ChannelCredentials.createInsecure()) {
    this.client = new Client(address, credentials, {
      // Clients of one process share connections otherwise, which would hide how they are spread.
      'grpc.use_local_subchannel_pool': 1,
      'grpc.max_receive_message_length': -1,
    });
  }

  /** Calls an API; rejects with grpc-js' ServiceError. */
  async call(
    apiName: string,
    content: Request['content'],
    settings: CallSettings = {},
  ): Promise<Response['content']> {
    return (await this.exchange(apiName, content, settings)).value.content;
  }

  /** Calls an API, and shows the metadata too. */
  exchange(apiName: string, content: Request['content'], settings?: CallSettings): Promise<Answer<Response>> {
    return this.unary(`/${protocolV1.service}/Call`, Request, Response, { apiName, content }, settings);
  }

  /** Sends bytes as they are. */
  raw(bytes: Uint8Array): Promise<Answer<Response>> {
    const codec = {
      encode: (message: Uint8Array) => ({ finish: () => message }),
      decode: (b: Uint8Array) => b,
    };
    return this.unary(`/${protocolV1.service}/Call`, codec, Response, bytes);
  }

  async serviceMetadata(): Promise<ServiceMetadataResponse> {
    const path = `/${protocolV1.service}/ServiceMetadata`;
    return (await this.unary(path, ServiceMetadataRequest, ServiceMetadataResponse, {})).value;
  }

  async check(service: string): Promise<ServingStatus> {
    const path = '/grpc.health.v1.Health/Check';
    return (await this.unary(path, HealthCheckRequest, HealthCheckResponse, { service })).value.status;
  }

  async list(): Promise<HealthListResponse> {
    return (await this.unary('/grpc.health.v1.Health/List', HealthListRequest, HealthListResponse, {})).value;
  }

  /** Follows the health of a service; each state once, in order. */
  async *watch(service: string): AsyncGenerator<ServingStatus> {
    const call = this.client.makeServerStreamRequest(
      '/grpc.health.v1.Health/Watch',
      serializerOf(HealthCheckRequest),
      HealthCheckResponse.decode,
      { service },
    );
    try {
      for await (const { status } of call as AsyncIterable<HealthCheckResponse>) yield status;
    } finally {
      call.cancel();
    }
  }

  close(): void {
    this.client.close();
  }

  /** One call of any unary method. */
  unary<I, O>(
    path: string,
    request: Codec<I>,
    response: Codec<O>,
    message: I,
    { metadata = {}, onCall, ...options }: CallSettings = {},
  ): Promise<Answer<O>> {
    return new Promise((resolve, reject) => {
      const sent = new Metadata();
      for (const [key, value] of Object.entries(metadata)) sent.set(key, value);
      let initial = new Metadata();
      let outcome: { error: ServiceError | null; value: O | undefined } | undefined;
      const call = this.client.makeUnaryRequest(
        path,
        serializerOf(request),
        (bytes) => response.decode(bytes),
        message,
        sent,
        options,
        (error, value) => (outcome = { error, value }),
      );
      call.on('metadata', (got) => (initial = got));
      call.on('status', ({ metadata: trailing }) => {
        // The callback comes first or last, by the order of events inside grpc-js: look after both.
        setImmediate(() => {
          if (outcome?.value !== undefined) resolve({ value: outcome.value, initial, trailing });
          else reject(outcome?.error ?? new Error('the call ended without an outcome'));
        });
      });
      onCall?.(call);
    });
  }
}

function serializerOf<T>(codec: Codec<T>): (message: T) => Buffer {
  return (message) => Buffer.from(codec.encode(message).finish());
}
