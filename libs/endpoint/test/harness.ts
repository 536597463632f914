import { Service, json } from '@bentots/service';
import { createEndpoints } from '../src/create-endpoints.js';
import type { Endpoint, EndpointOptions } from '../src/create-endpoints.js';
import type { InboundCall } from '../src/inbound-call.js';
import type { ApiContext, Priority, ServiceOptions } from '@bentots/service';

/** What a test API is made of. */
export interface TestApi {
  readonly fn: (input: unknown, context: ApiContext) => unknown;
  readonly timeoutMs?: number;
  readonly priority?: Priority;
}

/** Endpoints of a service with these APIs; inputs and outputs pass as they are. */
export function createTestEndpoints(
  apis: Readonly<Record<string, TestApi | TestApi['fn']>>,
  { runners = [], ...options }: Partial<EndpointOptions> & Pick<ServiceOptions, 'runners'> = {},
): (name: string) => Endpoint {
  const service = new Service('test', { runners });
  for (const [name, api] of Object.entries(apis)) {
    const { fn, ...rest } = typeof api === 'function' ? { fn: api } : api;
    service.api(name, { input: json<unknown>(), output: json<unknown>(), ...rest }, fn);
  }
  const endpoints = createEndpoints({ service, timeoutMs: Infinity, state: {}, ...options });
  return (name) => {
    const endpoint = endpoints.get(name);
    if (endpoint === undefined) throw new Error(`no API ${name}`);
    return endpoint;
  };
}

/** A call as an edge would make it, with `changes`. */
export function inbound(changes: Partial<InboundCall<unknown>> = {}): InboundCall<unknown> {
  return {
    protocol: 'http',
    requestId: 'request-1',
    metadata: {},
    signal: new AbortController().signal,
    decode: () => undefined,
    encode: (_output, value) => value,
    ...changes,
  };
}

/** A promise that the test settles, and a promise of somebody waiting for it. */
export interface Gate<T> {
  readonly open: (value: T) => void;
  readonly fail: (error: unknown) => void;
  /** Waits for the gate; resolves {@link reached}. */
  readonly wait: () => Promise<T>;
  readonly reached: Promise<void>;
}

/** A closed gate. */
export function createGate<T>(): Gate<T> {
  const gate = withResolvers<T>();
  const reached = withResolvers<void>();
  const wait = (): Promise<T> => {
    reached.resolve();
    return gate.promise;
  };
  return { open: gate.resolve, fail: gate.reject, wait, reached: reached.promise };
}

/** The event loop's next turn, when started calls listen to their clients and clocks. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(() => setImmediate(resolve));
  });
}

function withResolvers<T>(): {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (error: unknown) => void;
} {
  const settlers: { resolve?: (value: T) => void; reject?: (error: unknown) => void } = {};
  const promise = new Promise<T>((resolve, reject) => {
    settlers.resolve = resolve;
    settlers.reject = reject;
  });
  return {
    promise,
    resolve: (value) => settlers.resolve?.(value),
    reject: (error) => settlers.reject?.(error),
  };
}
