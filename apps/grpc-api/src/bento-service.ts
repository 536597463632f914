import { Metadata, type sendUnaryData, type ServerUnaryCall, type ServiceDefinition } from '@grpc/grpc-js';
import { type Endpoint, formatServerTiming, RunnerCalls } from '@bentots/endpoint';
import { httpStatusOf, ServeError } from '@bentots/errors';
import type { Service } from '@bentots/service';
import type { ApiMetrics } from '@bentots/telemetry';
import { writeMetadata } from './call-metadata.js';
import { describeApis } from './describe-apis.js';
import { statusOfError } from './error-status.js';
import { InboundFacts, REQUEST_ID_KEY } from './inbound-call.js';
import type { InFlight } from './in-flight.js';
import type { GrpcService } from './inherited-grpc.js';
import type { InboundMessage, Protocol } from './protocol.js';

/** One unary call in bytes: messages are decoded here, so that malformed ones are answered and counted like all else. */
export type UnaryCall = ServerUnaryCall<Buffer, Buffer>;

/** Trailing metadata that says where the time of a call went, when it called a runner; written as the HTTP header is. */
export const SERVER_TIMING_KEY = 'server-timing';

/** The label of calls that reached no API: a name that the caller makes up must not become a label. */
const UNKNOWN_API = 'unknown';

/** How a call ended, for the access log. */
export interface CallEnd {
  readonly call: UnaryCall;
  readonly inbound: InboundFacts;
  /** The API that was called, when it is a known one. */
  readonly apiName: string | undefined;
  readonly error: ServeError | undefined;
  readonly responseSize: number;
  readonly durationMs: number;
}

/** What the service is made of. */
export interface BentoServiceParts {
  readonly protocol: Protocol;
  readonly service: Service;
  readonly endpoints: ReadonlyMap<string, Endpoint>;
  readonly inFlight: InFlight;
  /** A larger answer is `payload_too_large`. */
  readonly maxMessageBytes: number;
  /** Absent: nothing is counted. */
  readonly metrics?: ApiMetrics | undefined;
  /** Called after the answer was handed to the transport. */
  onEnd(end: CallEnd): void;
}

interface Answer {
  readonly apiName?: string;
  readonly bytes?: Buffer;
  readonly metadata?: Metadata;
  readonly error?: ServeError;
  /** Absent for calls that reached no API. */
  readonly runnerCalls?: RunnerCalls;
}

/** `BentoService` of one protocol version over the wire: Call, and ServiceMetadata where the version has it. */
export function createBentoService(parts: BentoServiceParts): GrpcService {
  const call = (inbound: UnaryCall, callback: sendUnaryData<Buffer>): void =>
    void serveCall(parts, inbound, callback);
  const description = parts.protocol.encodeMetadata?.(describeApis(parts.service));
  if (description === undefined) {
    return { definition: { call: method(parts.protocol, 'Call') }, implementation: { call } };
  }
  const bytes = toBuffer(description);
  return {
    definition: {
      call: method(parts.protocol, 'Call'),
      serviceMetadata: method(parts.protocol, 'ServiceMetadata'),
    },
    implementation: {
      call,
      serviceMetadata: (_call: UnaryCall, callback: sendUnaryData<Buffer>) => callback(null, bytes),
    },
  };
}

function method({ service }: Protocol, name: string): ServiceDefinition[string] {
  const same = (bytes: Buffer): Buffer => bytes;
  return {
    path: `/${service}/${name}`,
    requestStream: false,
    responseStream: false,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
}

async function serveCall(
  parts: BentoServiceParts,
  call: UnaryCall,
  callback: sendUnaryData<Buffer>,
): Promise<void> {
  const startMs = performance.now();
  const leave = parts.inFlight.enter();
  const inbound = new InboundFacts(call);
  const answer = await answerCall(parts, call.request, inbound);
  inbound.finish();
  try {
    const timing = answer.runnerCalls && formatServerTiming(answer.runnerCalls, startMs);
    send(answer, timing, inbound, call, callback);
  } finally {
    leave();
  }
  const { apiName, bytes, error } = answer;
  const durationMs = performance.now() - startMs;
  parts.onEnd({ call, inbound, apiName, error, responseSize: bytes?.length ?? 0, durationMs });
}

function send(
  { bytes, metadata = new Metadata(), error }: Answer,
  timing: string | undefined,
  { trace }: InboundFacts,
  call: UnaryCall,
  callback: sendUnaryData<Buffer>,
): void {
  if (bytes !== undefined) {
    metadata.set(REQUEST_ID_KEY, trace.spanId);
    call.sendMetadata(metadata);
    callback(null, bytes, timing === undefined ? undefined : withTiming(new Metadata(), timing));
  } else if (error !== undefined) {
    const status = statusOfError(error);
    status.metadata.set(REQUEST_ID_KEY, trace.spanId);
    if (timing !== undefined) withTiming(status.metadata, timing);
    callback(status);
  }
}

function withTiming(metadata: Metadata, timing: string): Metadata {
  metadata.set(SERVER_TIMING_KEY, timing);
  return metadata;
}

/** Never rejects: what went wrong is in the answer. */
async function answerCall(parts: BentoServiceParts, request: Buffer, inbound: InboundFacts): Promise<Answer> {
  const target = findTarget(parts, request);
  const end = parts.metrics?.begin(target.endpoint?.api.name ?? UNKNOWN_API);
  const answer = target.endpoint === undefined ? target : await invoke(parts, target, inbound);
  end?.(answer.error === undefined ? 200 : httpStatusOf(answer.error.code));
  return answer;
}

type Target =
  | { readonly endpoint: Endpoint; readonly message: InboundMessage }
  | { readonly endpoint?: undefined; readonly error: ServeError };

function findTarget({ protocol, endpoints }: BentoServiceParts, request: Buffer): Target {
  try {
    const message = protocol.decodeRequest(request);
    const endpoint = endpoints.get(message.apiName);
    return endpoint === undefined ? { error: noSuchApi(message.apiName, endpoints) } : { endpoint, message };
  } catch (cause) {
    if (cause instanceof ServeError) return { error: cause };
    return { error: new ServeError('invalid_argument', 'the request message is malformed', { cause }) };
  }
}

async function invoke(
  parts: BentoServiceParts,
  { endpoint, message }: Extract<Target, { message: InboundMessage }>,
  inbound: InboundFacts,
): Promise<Answer> {
  const apiName = endpoint.api.name;
  const { metadata, signal, timeoutMs, trace } = inbound;
  const runnerCalls = new RunnerCalls();
  try {
    const { result, response } = await endpoint.invoke({
      protocol: 'grpc',
      requestId: trace.spanId,
      metadata,
      signal,
      timeoutMs,
      traceparent: trace.traceparent,
      runnerCalls,
      decode: (input) => input.fromContent(message.content(input.contentKinds)),
      encode: async (output, value) => encode(parts, apiName, await output.toContent(value)),
    });
    return { apiName, bytes: result, metadata: writeMetadata(response.metadata), runnerCalls };
  } catch (error) {
    return { apiName, error: ServeError.from(error), runnerCalls };
  }
}

function encode(
  { protocol, maxMessageBytes }: BentoServiceParts,
  apiName: string,
  content: Parameters<Protocol['encodeResponse']>[0],
): Buffer {
  const bytes = protocol.encodeResponse(content);
  if (bytes.length <= maxMessageBytes) return toBuffer(bytes);
  const sizes = `${bytes.length} bytes, over the limit of ${maxMessageBytes}`;
  throw new ServeError('payload_too_large', `the answer of API '${apiName}' is ${sizes}`);
}

function noSuchApi(name: string, endpoints: ReadonlyMap<string, Endpoint>): ServeError {
  const available = [...endpoints.keys()];
  const shown = name.length > 64 ? `${name.slice(0, 64)}…` : name;
  const message = `the service has no API '${shown}'; it has ${available.join(', ') || 'none'}`;
  return new ServeError('not_found', message, { details: { available } });
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
