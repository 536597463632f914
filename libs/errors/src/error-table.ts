/**
 * What one kind of failure means outside: one row of {@link ERROR_TABLE}.
 */
export interface ErrorRow {
  /** HTTP status of the answer. */
  readonly http: number;
  /** gRPC status number (`google.rpc.Code`). */
  readonly grpc: number;
  /** Exit code of a command that ends with this error. */
  readonly exit: number;
  /** One sentence for `docs/errors.md`: when it is raised. */
  readonly when: string;
}

/**
 * The closed list of what can go wrong, and how each is said in HTTP, gRPC and exit codes.
 * `docs/errors.md` shows the same rows; a test keeps both equal.
 */
export const ERROR_TABLE = {
  // A request that cannot be served as it was sent.
  invalid_argument: { http: 400, grpc: 3, exit: 2, when: 'the input has the wrong form, type or value' },
  unauthenticated: { http: 401, grpc: 16, exit: 1, when: 'the caller did not say who it is' },
  permission_denied: { http: 403, grpc: 7, exit: 1, when: 'the caller may not do this' },
  not_found: { http: 404, grpc: 5, exit: 1, when: 'no API, method or path has this name' },
  method_not_allowed: { http: 405, grpc: 12, exit: 1, when: 'the path exists, for another HTTP method' },
  payload_too_large: { http: 413, grpc: 8, exit: 1, when: 'the body or message is over its limit' },
  unsupported_media_type: { http: 415, grpc: 3, exit: 1, when: 'the API does not read this content type' },
  unprocessable: { http: 422, grpc: 9, exit: 1, when: 'well formed, but it breaks a rule of the API' },
  too_many_requests: { http: 429, grpc: 8, exit: 1, when: 'a concurrency limit is reached' },
  cancelled: { http: 499, grpc: 1, exit: 1, when: 'the caller went away' },
  // A request that was fine, and failed.
  internal: { http: 500, grpc: 13, exit: 1, when: 'an unexpected error; the cause is in the log' },
  runner_failed: { http: 500, grpc: 13, exit: 1, when: 'the method of a runner threw' },
  unimplemented: { http: 501, grpc: 12, exit: 1, when: 'this protocol or version cannot do that' },
  unavailable: {
    http: 503,
    grpc: 14,
    exit: 1,
    when: 'a runner cannot be reached, or the server is stopping',
  },
  overloaded: { http: 503, grpc: 14, exit: 1, when: 'the queue is full or the deadline cannot be met' },
  deadline_exceeded: { http: 504, grpc: 4, exit: 1, when: 'the time for the request is over' },
  protocol_error: {
    http: 502,
    grpc: 13,
    exit: 1,
    when: 'a peer on the runner connection broke the protocol',
  },
  // A server that cannot start, or cannot go on.
  invalid_option: { http: 500, grpc: 13, exit: 2, when: 'an option, flag or environment variable is wrong' },
  invalid_config: { http: 500, grpc: 13, exit: 2, when: 'the configuration file is wrong' },
  not_supported: { http: 501, grpc: 12, exit: 2, when: 'the option is known, and not supported yet' },
  service_not_found: { http: 500, grpc: 13, exit: 3, when: 'no file, module or attribute has this name' },
  service_broken: {
    http: 500,
    grpc: 13,
    exit: 3,
    when: 'the service module has a syntax error or throws on import',
  },
  service_invalid: { http: 500, grpc: 13, exit: 3, when: 'what was found is not one valid service' },
  runner_not_found: { http: 500, grpc: 13, exit: 4, when: 'the service has no runner of this name' },
  runner_map_invalid: { http: 500, grpc: 13, exit: 4, when: 'the runner map is malformed or lacks a runner' },
  address_in_use: { http: 500, grpc: 13, exit: 5, when: 'another process listens on the address' },
  address_unavailable: { http: 500, grpc: 13, exit: 5, when: 'the address cannot be bound on this machine' },
  tls_invalid: { http: 500, grpc: 13, exit: 6, when: 'a certificate, key or TLS option cannot be used' },
  worker_not_ready: {
    http: 500,
    grpc: 13,
    exit: 7,
    when: 'a worker did not become ready: its model does not load, say',
  },
  crash_loop: { http: 500, grpc: 13, exit: 8, when: 'workers crash faster than the restart limit allows' },
} as const satisfies Record<string, ErrorRow>;

/** A code from the closed list. */
export type ErrorCode = keyof typeof ERROR_TABLE;

/** Exit codes that are no error's: asked to stop, and forced to stop by a second signal. */
export const EXIT = { ok: 0, forced: 130 } as const;

/** The HTTP status that says `code`. */
export function httpStatusOf(code: ErrorCode): number {
  return ERROR_TABLE[code].http;
}

/** The gRPC status number that says `code`. */
export function grpcStatusOf(code: ErrorCode): number {
  return ERROR_TABLE[code].grpc;
}

/** The exit code of a command that ends with `code`. */
export function exitCodeOf(code: ErrorCode): number {
  return ERROR_TABLE[code].exit;
}

/** Whether `value` is one of the codes, for codes that come from outside. */
export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERROR_TABLE, value);
}
