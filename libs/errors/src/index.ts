export { ServeError, INTERNAL_MESSAGE } from './serve-error.js';
export type { ErrorDetails, ServeErrorJson, ServeErrorOptions } from './serve-error.js';
export { ERROR_TABLE, EXIT, exitCodeOf, grpcStatusOf, httpStatusOf, isErrorCode } from './error-table.js';
export type { ErrorCode, ErrorRow } from './error-table.js';
