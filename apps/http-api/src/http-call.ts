import type { IncomingHttpHeaders } from 'node:http';
import { type InboundCall, RunnerCalls } from '@bentots/endpoint';
import type { Body, EncodedBody, IODescriptor } from '@bentots/service';
import type { FastifyRequest } from 'fastify';
import type { Exchange } from './exchange.js';
import { parseRequestTimeout } from './request-timeout.js';

const EMPTY = Buffer.alloc(0);

/** One HTTP request as an endpoint takes it. One object a request, no closures. */
export class HttpCall implements InboundCall<EncodedBody> {
  readonly protocol = 'http';
  readonly requestId: string;
  readonly traceparent: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** The client's `X-Request-Timeout`. */
  readonly timeoutMs?: number;
  readonly runnerCalls = new RunnerCalls();
  private readonly body: Body;

  /** Throws `invalid_argument` for an X-Request-Timeout that is no time. */
  constructor(
    request: FastifyRequest,
    private readonly exchange: Exchange,
  ) {
    const { headers } = request.raw;
    this.requestId = exchange.trace.spanId;
    this.traceparent = exchange.trace.traceparent;
    this.metadata = metadataOf(headers);
    const timeout = this.metadata['x-request-timeout'];
    if (timeout !== undefined) this.timeoutMs = parseRequestTimeout(timeout);
    const bytes = request.body instanceof Uint8Array ? request.body : EMPTY;
    this.body = { contentType: headers['content-type'], bytes };
  }

  get signal(): AbortSignal {
    return this.exchange.signal;
  }

  decode(input: IODescriptor<unknown>): unknown {
    return input.decodeBody(this.body);
  }

  encode(output: IODescriptor<unknown>, value: unknown): EncodedBody | Promise<EncodedBody> {
    return output.encodeBody(value);
  }
}

/** Headers as one text each; Node keeps apart only those of `set-cookie`, which no client sends. */
function metadataOf(headers: IncomingHttpHeaders): Readonly<Record<string, string>> {
  if (isAllText(headers)) return headers;
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}

function isAllText(headers: IncomingHttpHeaders): headers is Record<string, string> {
  return headers['set-cookie'] === undefined;
}
