import type { Deadline, Metadata } from '@grpc/grpc-js';
import { ServeError } from '@bentots/errors';
import { createTraceContext, parseTraceparent, type TraceContext } from '@bentots/telemetry';
import { readMetadata } from './call-metadata.js';

/** Metadata that names a call to its client, as the HTTP edge does: initial with an answer, trailing with an error. */
export const REQUEST_ID_KEY = 'x-bentoml-request-id';

/**
 * Controllers of answered calls, for the next ones: to make one costs as much as to read a call's metadata. An endpoint
 * leaves no listener behind and shows API functions a signal of its own, so one that never aborted is as good as new.
 */
const idleControllers: AbortController[] = [];

/** What is asked of a call of grpc-js. */
export interface ArrivedCall {
  readonly metadata: Metadata;
  getDeadline(): Deadline;
  on(event: 'cancelled', listener: () => void): unknown;
}

/** What a gRPC call says besides its message. */
export class InboundFacts {
  readonly metadata: Readonly<Record<string, string>>;
  /** This call's place in the caller's trace, or in a new one; its span id is the request's id. */
  readonly trace: TraceContext;
  /** What is left of the caller's deadline; `Infinity` without one. */
  readonly timeoutMs: number;
  private readonly deadline: number;
  private readonly controller = idleControllers.pop() ?? new AbortController();
  private isAnswered = false;

  /** Reads metadata and deadline of a call that begins now, and follows its cancellation. */
  constructor(call: ArrivedCall) {
    this.metadata = readMetadata(call.metadata);
    this.trace = createTraceContext(parseTraceparent(this.metadata['traceparent']));
    this.deadline = Number(call.getDeadline());
    this.timeoutMs = this.deadline === Infinity ? Infinity : Math.max(0, this.deadline - Date.now());
    call.on('cancelled', () => this.giveUp());
  }

  /**
   * Aborts when the caller hangs up (`cancelled`) or its deadline is over (`deadline_exceeded`). It is this call's only
   * until {@link finish}, and another's afterwards.
   */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** To be called with the answer: grpc-js says `cancelled` at the end of every stream, the answered ones too. */
  finish(): void {
    if (this.isAnswered) return;
    this.isAnswered = true;
    if (!this.controller.signal.aborted) idleControllers.push(this.controller);
  }

  /** grpc-js ends a call at its deadline as if the caller had hung up: the clock tells them apart. */
  private giveUp(): void {
    if (this.isAnswered) return;
    this.controller.abort(
      Date.now() >= this.deadline
        ? new ServeError('deadline_exceeded', 'the time for the request is over')
        : new ServeError('cancelled', 'the caller went away'),
    );
  }
}
