import { ServeError } from '@bentots/errors';
import type { Priority, RunnerTiming, RunnerValue } from '@bentots/service';
import { readPriority } from './payloads/call-flags.js';
import type { CallPayload } from './payloads/call-payload.js';
import { writeValue } from './payloads/encode-values.js';
import { toWireError, type WireError, writeError } from './payloads/error-payload.js';
import { writeTiming } from './payloads/timing.js';
import { FLAG, FRAME } from './frames/frame.js';
import type { Link } from './link.js';

/** Even a chunk without a byte takes this much of the window, so that a reader bounds their number, too. */
export const MIN_CHUNK_COST = 4096;

/** One call that a client has made, to be answered once: by a result, an error, or chunks and an end. */
export interface IncomingCall {
  readonly method: string;
  readonly args: readonly RunnerValue[];
  /** When the caller stops waiting, in milliseconds since the epoch of this process's clock. */
  readonly deadline: number | undefined;
  readonly traceparent: string | undefined;
  /** Whether the caller may send it again. */
  readonly idempotent: boolean;
  /** Whether the caller expects chunks. */
  readonly stream: boolean;
  /** Which of the calls that wait are to be run first. */
  readonly priority: Priority;
  /** Whether the caller asks what was done for the answer; see {@link timing}. */
  readonly wantsTiming: boolean;
  /**
   * Aborts when the answer is no longer wanted, with a ServeError as reason: `cancelled` (the caller gave up),
   * `deadline_exceeded`, or `unavailable` (the connection is gone). Not after an answer.
   */
  readonly signal: AbortSignal;
  /** Whether it was answered, or is no longer wanted: nothing that is sent from then on leaves. */
  readonly settled: boolean;
  /**
   * Tells the caller what was done, once and before the answer or its first chunk. Does nothing when it is not wanted,
   * was told, or comes too late.
   */
  timing(timing: RunnerTiming): void;
  /** Answers with a value; one that cannot be sent fails the call. Does nothing once settled. */
  respond(value: RunnerValue): void;
  /** Answers with an error: a ServeError as it is, anything else as `runner_failed`. Does nothing once settled. */
  fail(error: unknown): void;
  /**
   * Sends one value of a stream. Resolves when the caller has room for more; rejects with the signal's reason when
   * the call is no longer wanted.
   */
  chunk(value: RunnerValue): Promise<void>;
  /** Ends a stream. Does nothing once settled. */
  end(): void;
}

/** What a {@link ServerCall} needs of its connection. */
export interface CallOwner {
  readonly link: Link;
  /** The call with this id needs no more frames. */
  settle(callId: number, failed: boolean): void;
}

interface Waiter {
  resolve(): void;
  reject(error: ServeError): void;
}

const ROOM = Promise.resolve();

/** {@link IncomingCall}, and what the connection does to it. */
export class ServerCall implements IncomingCall {
  readonly method: string;
  readonly args: readonly RunnerValue[];
  readonly deadline: number | undefined;
  readonly traceparent: string | undefined;
  readonly idempotent: boolean;
  readonly stream: boolean;
  readonly priority: Priority;
  readonly wantsTiming: boolean;
  readonly #owner: CallOwner;
  readonly #id: number;
  #settled = false;
  #owesTiming: boolean;
  #credit: number;
  #waiters: Waiter[] | undefined;
  #controller: AbortController | undefined;
  #reason: ServeError | undefined;

  constructor(
    owner: CallOwner,
    id: number,
    flags: number,
    deadline: number | undefined,
    payload: CallPayload,
  ) {
    this.#owner = owner;
    this.#id = id;
    this.method = payload.method;
    this.args = payload.args;
    this.deadline = deadline;
    this.traceparent = payload.traceparent;
    this.idempotent = (flags & FLAG.idempotent) !== 0;
    this.stream = (flags & FLAG.stream) !== 0;
    this.priority = readPriority(flags);
    this.wantsTiming = (flags & FLAG.timing) !== 0;
    this.#owesTiming = this.wantsTiming;
    this.#credit = payload.window;
  }

  get settled(): boolean {
    return this.#settled;
  }

  /** Made when first asked for: most calls of a batch never look at it. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  timing(timing: RunnerTiming): void {
    if (this.#settled || !this.#owesTiming) return;
    this.#owesTiming = false;
    this.#owner.link.send(FRAME.timing, 0, this.#id, 0, (writer) => writeTiming(writer, timing));
  }

  respond(value: RunnerValue): void {
    if (this.#settled) return;
    try {
      this.#owner.link.send(FRAME.result, 0, this.#id, 0, (writer) => writeValue(writer, value));
    } catch (error) {
      this.fail(unsendable(error));
      return;
    }
    this.#settle(false);
  }

  fail(error: unknown): void {
    if (this.#settled) return;
    this.#sendError(toWireError(error), 0);
  }

  /** Answers that the call was not begun, so that the client may send it elsewhere. */
  refuse(error: ServeError): void {
    this.#sendError(toWireError(error), FLAG.notStarted);
  }

  chunk(value: RunnerValue): Promise<void> {
    if (this.#settled) return Promise.reject(this.#reason ?? answered(this.method));
    if (!this.stream) {
      return Promise.reject(
        new ServeError('invalid_argument', `the caller of '${this.method}' expects one result, not a stream`),
      );
    }
    try {
      const bytes = this.#owner.link.send(FRAME.chunk, 0, this.#id, 0, (writer) => writeValue(writer, value));
      this.#credit -= Math.max(bytes, MIN_CHUNK_COST);
      this.#owesTiming = false;
    } catch (error) {
      return Promise.reject(unsendable(error));
    }
    if (this.#credit > 0) return ROOM;
    return new Promise((resolve, reject) => {
      this.#waiters ??= [];
      this.#waiters.push({ resolve, reject });
    });
  }

  end(): void {
    if (this.#settled) return;
    this.#owner.link.send(FRAME.end, 0, this.#id, 0);
    this.#settle(false);
  }

  /** The client has taken chunks of so many bytes. */
  addCredit(bytes: number): void {
    this.#credit += bytes;
    if (this.#credit <= 0 || this.#waiters === undefined) return;
    const waiters = this.#waiters;
    this.#waiters = undefined;
    for (const waiter of waiters) waiter.resolve();
  }

  /** The answer is no longer wanted. `tell`: the client still waits for one. */
  abort(reason: ServeError, tell: boolean): void {
    if (this.#settled) return;
    this.#reason = reason;
    if (tell) this.#sendError(toWireError(reason), 0);
    else this.#settle(true);
    this.#controller?.abort(reason);
  }

  #sendError(error: WireError, flags: number): void {
    this.#owner.link.send(FRAME.error, flags, this.#id, 0, (writer) => writeError(writer, error));
    this.#settle(true);
  }

  #settle(failed: boolean): void {
    this.#settled = true;
    this.#owner.settle(this.#id, failed);
    const waiters = this.#waiters ?? [];
    this.#waiters = undefined;
    for (const waiter of waiters) waiter.reject(this.#reason ?? answered(this.method));
  }
}

function answered(method: string): ServeError {
  return new ServeError('cancelled', `the call of '${method}' was already answered`);
}

/** What a method returned cannot be sent: its own fault, never the caller's. */
function unsendable(error: unknown): unknown {
  if (!(error instanceof ServeError)) return error;
  const failure = new TypeError(`the result cannot be sent: ${error.message}`, { cause: error });
  return failure;
}
