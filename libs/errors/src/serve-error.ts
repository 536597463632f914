import { type ErrorCode, isErrorCode } from './error-table.js';

/** Machine-readable facts that go with an error: names, numbers, lists; JSON values only. */
export type ErrorDetails = Readonly<Record<string, unknown>>;

/** What a {@link ServeError} is made of besides code and message. */
export interface ServeErrorOptions {
  /** Facts for the client: `{ runner: 'classifier', available: [...] }`. */
  readonly details?: ErrorDetails;
  /** What led to it; kept for the log, never sent. */
  readonly cause?: unknown;
}

/** A {@link ServeError} as JSON, for process borders. */
export interface ServeErrorJson {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details?: ErrorDetails;
}

const BRAND = Symbol.for('bentots.ServeError');

/** The text that stands for every error whose own words may not leave the process. */
export const INTERNAL_MESSAGE = 'an unexpected error occurred; its cause is in the server log';

/**
 * The one error of the project: a code from the closed list, and a message in lower case that says what happened,
 * names the thing and the value, and says what is available or what to do.
 *
 * Services throw it to choose what the client sees: `throw new ServeError('unprocessable', 'picture has no digits')`.
 */
export class ServeError extends Error {
  override readonly name = 'ServeError';
  readonly code: ErrorCode;
  readonly details: ErrorDetails | undefined;
  /** @internal Marks errors of every copy of this module. */
  readonly [BRAND] = true;

  constructor(code: ErrorCode, message: string, options: ServeErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details;
  }

  /** True for errors of any copy of this module, so that two installs do not lose codes. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && BRAND in value;
  }

  /**
   * The only way in for foreign errors. A ServeError stays itself; an abort becomes `cancelled` and a timeout
   * `deadline_exceeded`; anything else becomes `internal` with a fixed message and the original as `cause`.
   */
  static from(error: unknown): ServeError {
    if (error instanceof ServeError) return error;
    if (error instanceof Error && error.name === 'TimeoutError') {
      return new ServeError('deadline_exceeded', 'the time for the request is over', { cause: error });
    }
    if (error instanceof Error && error.name === 'AbortError') {
      return new ServeError('cancelled', 'the caller went away', { cause: error });
    }
    return new ServeError('internal', INTERNAL_MESSAGE, { cause: error });
  }

  /** Back from {@link toJSON}; an unknown code becomes `internal`, its message kept. */
  static fromJSON(json: { code: unknown; message: unknown; details?: unknown }): ServeError {
    const details = isDetails(json.details) ? { details: json.details } : {};
    return new ServeError(isErrorCode(json.code) ? json.code : 'internal', String(json.message), details);
  }

  /** Code, message and details; never the cause. */
  toJSON(): ServeErrorJson {
    return { code: this.code, message: this.message, ...(this.details && { details: this.details }) };
  }
}

function isDetails(value: unknown): value is ErrorDetails {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
