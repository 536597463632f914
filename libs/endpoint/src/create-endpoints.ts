import { ServeError } from '@bentots/errors';
import type { Api, ApiContext, Service } from '@bentots/service';
import { Call } from './call.js';
import type { InboundCall, Outcome } from './inbound-call.js';
import { enforceDeadline } from './layers/enforce-deadline.js';
import { enterCallContext } from './layers/enter-call-context.js';
import { composeLayers, type Invoke } from './layers/layer.js';
import { limitConcurrency } from './layers/limit-concurrency.js';
import { perform } from './layers/perform.js';
import { toServeError } from './to-serve-error.js';

/** Options of {@link createEndpoints}. */
export interface EndpointOptions {
  readonly service: Service;
  /** Most time for one call, in milliseconds; `Infinity` for no limit. An API's or a client's shorter limit wins. */
  readonly timeoutMs: number;
  /** Most calls worked on at once, by all APIs together. @default no limit */
  readonly maxConcurrency?: number;
  /** What start-up hooks filled; every call's context has it. */
  readonly state: ApiContext['state'];
}

/** One API, ready to be called by any protocol. */
export interface Endpoint {
  readonly api: Api;
  /** Serves one call. Rejects with ServeError only, and leaves no timer or listener behind. */
  invoke<R>(call: InboundCall<R>): Promise<Outcome<R>>;
}

/**
 * The APIs of a service by name, each with everything that is the same for all protocols around the user's function.
 *
 * @throws ServeError `invalid_option` for a limit that is not above 0.
 */
export function createEndpoints(options: EndpointOptions): ReadonlyMap<string, Endpoint> {
  const { service, timeoutMs, maxConcurrency = Infinity, state } = options;
  checkAboveZero('timeoutMs', timeoutMs);
  checkAboveZero('maxConcurrency', maxConcurrency);
  const layers = [
    ...(maxConcurrency === Infinity ? [] : [limitConcurrency(maxConcurrency)]),
    enforceDeadline,
    // On Node 20 the first use makes every promise of the process dearer, so not where no runner can ask for it.
    ...(service.runners.size === 0 ? [] : [enterCallContext]),
  ];
  const run = composeLayers(layers, perform);
  return new Map(
    [...service.apis].map(([name, api]): [string, Endpoint] => [
      name,
      {
        api,
        invoke: (inbound) => serve(run, new Call(api, inbound, state, timeoutMs)),
      },
    ]),
  );
}

function serve<R>(run: Invoke, call: Call<R>): Promise<Outcome<R>> {
  const { context } = call;
  const succeed = (result: R): Outcome<R> => ({ result, response: context.response });
  try {
    const answer = run(call);
    if (!(answer instanceof Promise)) return Promise.resolve(succeed(answer));
    return answer.then(succeed, (error: unknown) => {
      throw toServeError(error, context);
    });
  } catch (error) {
    return Promise.reject(toServeError(error, context));
  }
}

function checkAboveZero(name: string, value: number): void {
  if (value > 0) return;
  throw new ServeError('invalid_option', `${name} is ${value}; expected a number above 0, or none`);
}
