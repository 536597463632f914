export { createEndpoints } from './create-endpoints.js';
export type { Endpoint, EndpointOptions } from './create-endpoints.js';
export type { InboundCall, Outcome } from './inbound-call.js';
export { formatServerTiming } from './server-timing.js';
export { RunnerCalls } from './runner-calls.js';
