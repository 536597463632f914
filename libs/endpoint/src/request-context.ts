import type { ServeError } from '@bentots/errors';
import type { Api, ApiContext, CallContext, CallObserver, Priority } from '@bentots/service';
import type { InboundCall } from './inbound-call.js';

/** What the user's function sees of its request; also what the runner calls inside it inherit. */
export class RequestContext implements ApiContext, CallContext {
  readonly apiName: string;
  readonly requestId: string;
  readonly protocol: ApiContext['protocol'];
  readonly request: ApiContext['request'];
  readonly response: ApiContext['response'] = { status: undefined, metadata: {} };
  readonly state: ApiContext['state'];
  readonly deadline: number | undefined;
  readonly traceparent: string | undefined;
  readonly priority: Priority;
  readonly observer: CallObserver | undefined;
  #controller: AbortController | undefined;
  #reason: ServeError | undefined;

  constructor(api: Api, inbound: InboundCall<unknown>, state: ApiContext['state'], timeoutMs: number) {
    this.apiName = api.name;
    this.priority = api.priority;
    this.requestId = inbound.requestId;
    this.protocol = inbound.protocol;
    this.request = { metadata: inbound.metadata };
    this.state = state;
    this.deadline = timeoutMs === Infinity ? undefined : Date.now() + timeoutMs;
    this.traceparent = inbound.traceparent;
    this.observer = inbound.runnerCalls;
  }

  /** Made when first asked for: most functions never look at it. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    return this.#controller.signal;
  }

  /** Why the call was given up, if it was. */
  get abortReason(): ServeError | undefined {
    return this.#reason;
  }

  /** Gives the call up: {@link signal} is aborted with `reason`. Only the first reason counts. */
  abort(reason: ServeError): void {
    this.#reason ??= reason;
    this.#controller?.abort(this.#reason);
  }
}
