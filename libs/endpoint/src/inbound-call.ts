import type { ApiContext, IODescriptor } from '@bentots/service';
import type { RunnerCalls } from './runner-calls.js';

/**
 * A request as an edge hands it over: nothing of its protocol is left but the two functions that know it.
 * `R` is the edge's own form of an answer.
 */
export interface InboundCall<R> {
  readonly protocol: ApiContext['protocol'];
  readonly requestId: string;
  /** HTTP headers or gRPC metadata, keys in lower case. */
  readonly metadata: ApiContext['request']['metadata'];
  /** Aborted when the client went away; a ServeError as its reason is what the call then rejects with. */
  readonly signal: AbortSignal;
  /** The client's limit, from now, in milliseconds; the shortest limit wins. */
  readonly timeoutMs?: number;
  /** W3C trace context, for the runner calls of this request. */
  readonly traceparent?: string;
  /** Gathers what the runner calls of this request took. Absent: nobody wants to know. */
  readonly runnerCalls?: RunnerCalls;
  /** Reads the request by the API's input descriptor. */
  decode(input: IODescriptor<unknown>): unknown;
  /** Writes the answer by the API's output descriptor. */
  encode(output: IODescriptor<unknown>, value: unknown): R | Promise<R>;
}

/** What an edge sends back. */
export interface Outcome<R> {
  readonly result: R;
  /** Status and metadata that the user's function chose. */
  readonly response: ApiContext['response'];
}
