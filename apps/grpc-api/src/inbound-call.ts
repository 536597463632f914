import type { ServerUnaryCall } from '@grpc/grpc-js';
import { ServeError } from '@bentots/errors';
import { createTraceContext, parseTraceparent, type TraceContext } from '@bentots/telemetry';
import { readMetadata } from './call-metadata.js';

/** Metadata that names a call to its client, as the HTTP edge does: initial with an answer, trailing with an error. */
export const REQUEST_ID_KEY = 'x-bentoml-request-id';

/** What a gRPC call says besides its message. */
export interface InboundFacts {
  readonly metadata: Readonly<Record<string, string>>;
  /** This call's place in the caller's trace, or in a new one; its span id is the request's id. */
  readonly trace: TraceContext;
  /** What is left of the caller's deadline; absent without one. */
  readonly timeoutMs?: number;
  /** Aborts when the caller hangs up (`cancelled`) or its deadline is over (`deadline_exceeded`). */
  readonly signal: AbortSignal;
}

/** Reads a call's metadata and deadline, and follows its cancellation. */
export function openCall(call: ServerUnaryCall<unknown, unknown>): InboundFacts {
  const metadata = readMetadata(call.metadata);
  const deadline = Number(call.getDeadline());
  return {
    metadata,
    trace: createTraceContext(parseTraceparent(metadata['traceparent'])),
    ...(Number.isFinite(deadline) && { timeoutMs: Math.max(0, deadline - Date.now()) }),
    signal: signalOf(call, deadline),
  };
}

/** grpc-js ends a call at its deadline as if the caller had hung up: the clock tells them apart. */
function signalOf(call: ServerUnaryCall<unknown, unknown>, deadline: number): AbortSignal {
  const controller = new AbortController();
  call.on('cancelled', () => {
    const isOver = Date.now() >= deadline;
    controller.abort(
      isOver
        ? new ServeError('deadline_exceeded', 'the time for the request is over')
        : new ServeError('cancelled', 'the caller went away'),
    );
  });
  return controller.signal;
}
