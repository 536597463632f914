/** What Nest hands to the controllers. */

/** {@link ReadinessSource} */
export const READINESS = Symbol('readiness');
/** {@link MetricsText} */
export const METRICS_TEXT = Symbol('metrics text');
/** The service's APIs by name. */
export const APIS = Symbol('apis');
/** The OpenAPI document as JSON text. */
export const OPENAPI_TEXT = Symbol('openapi text');
