export { createEndpoints } from './create-endpoints.js';
export type { Endpoint, EndpointOptions } from './create-endpoints.js';
export type { InboundCall, Outcome } from './inbound-call.js';
