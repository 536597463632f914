import { ServeError } from '@bentots/errors';
import type { Api, ApiContext } from '@bentots/service';
import type { InboundCall } from './inbound-call.js';
import { RequestContext } from './request-context.js';

/** One request on its way through the layers. */
export class Call<R> {
  readonly api: Api;
  readonly inbound: InboundCall<R>;
  readonly context: RequestContext;
  /** The shortest of the limits of server, API and client; `Infinity` for none. */
  readonly timeoutMs: number;
  /** Decoding, the user's function and encoding, when they wait for something. May outlive the answer. */
  work: Promise<R> | undefined;
  readonly #startedAt = performance.now();
  readonly #serverTimeoutMs: number;

  constructor(api: Api, inbound: InboundCall<R>, state: ApiContext['state'], serverTimeoutMs: number) {
    this.api = api;
    this.inbound = inbound;
    this.timeoutMs = Math.min(serverTimeoutMs, api.timeoutMs ?? Infinity, inbound.timeoutMs ?? Infinity);
    this.context = new RequestContext(api, inbound, state, this.timeoutMs);
    this.#serverTimeoutMs = serverTimeoutMs;
  }

  /** Throws when the call was given up or its time is over: a function that blocked the loop kept the timer waiting. */
  throwIfOver(): void {
    const { abortReason } = this.context;
    if (abortReason !== undefined) throw abortReason;
    if (this.remainingMs() <= 0) throw this.expire();
  }

  /** Time left, by a clock that is never set back; negative when it is over. */
  remainingMs(): number {
    return this.timeoutMs - (performance.now() - this.#startedAt);
  }

  /** Gives the call up because its time is over; returns the error that says so. */
  expire(): ServeError {
    const limit = this.#limitOwner();
    const message = `API '${this.api.name}' did not finish within ${this.timeoutMs} ms, the limit of the ${limit}`;
    const error = new ServeError('deadline_exceeded', message, {
      details: { api: this.api.name, timeoutMs: this.timeoutMs, limit },
    });
    this.context.abort(error);
    return error;
  }

  /** Gives the call up because the client's signal was aborted; returns the error that says so. */
  cancel(): ServeError {
    const reason: unknown = this.inbound.signal.reason;
    const error =
      reason instanceof ServeError
        ? reason
        : new ServeError('cancelled', 'the caller went away', { cause: reason });
    this.context.abort(error);
    return error;
  }

  #limitOwner(): 'client' | 'api' | 'server' {
    if (this.inbound.timeoutMs === this.timeoutMs) return 'client';
    return this.#serverTimeoutMs === this.timeoutMs ? 'server' : 'api';
  }
}
