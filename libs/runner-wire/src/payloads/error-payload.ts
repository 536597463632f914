import { type ErrorDetails, isErrorCode, ServeError } from '@bentots/errors';
import type { ByteWriter } from '../frames/byte-writer.js';
import { ValueReader } from './decode-values.js';
import { writeValue } from './encode-values.js';
import type { WireLimits } from '../frames/limits.js';
import { protocolError } from '../frames/wire-error.js';

/** An error as it crosses the wire. */
export interface WireError {
  /** A code of the closed list; `runner_failed` for what a method threw that is no ServeError. */
  readonly code: string;
  /** Class of what was thrown: `RangeError`. */
  readonly className: string;
  readonly message: string;
  readonly details: ErrorDetails | undefined;
}

/** Longer messages are cut: an error must always fit its frame. */
const MAX_MESSAGE_CHARS = 32 * 1024;
const MAX_DETAILS_CHARS = 256 * 1024;

/** What to send for something thrown. */
export function toWireError(thrown: unknown): WireError {
  if (thrown instanceof ServeError) {
    const { code, name: className, message, details } = thrown;
    return { code, className, message, details };
  }
  const error = thrown instanceof Error ? thrown : undefined;
  const className = error ? error.constructor.name || error.name : typeof thrown;
  return {
    code: 'runner_failed',
    className,
    message: error ? error.message : String(thrown),
    details: undefined,
  };
}

/**
 * The error that the caller gets: a ServeError of the method as it is; anything else as `runner_failed` with runner,
 * method, class and message in words and in details.
 */
export function fromWireError(error: WireError, runner: string, method: string): ServeError {
  const { code, className, message, details } = error;
  if (code === 'runner_failed' && className !== 'ServeError') {
    return new ServeError(code, `runner '${runner}' method '${method}' failed: ${className}: ${message}`, {
      details: { runner, method, class: className, message },
    });
  }
  return new ServeError(
    isErrorCode(code) ? code : 'internal',
    message,
    details === undefined ? {} : { details },
  );
}

/** Writes code, class, message and details; details that JSON cannot say are left out. */
export function writeError(writer: ByteWriter, error: WireError): void {
  writeValue(writer, error.code);
  writeValue(writer, error.className.slice(0, 255));
  writeValue(writer, error.message.slice(0, MAX_MESSAGE_CHARS));
  writeValue(writer, sendableDetails(error.details));
}

/** @throws ServeError `protocol_error` saying what is malformed. */
export function readError(bytes: Buffer, start: number, end: number, limits: WireLimits): WireError {
  const reader = new ValueReader(bytes, start, end, limits);
  const [code, className, message, details] = [reader.read(), reader.read(), reader.read(), reader.read()];
  if (
    typeof code !== 'string' ||
    typeof className !== 'string' ||
    typeof message !== 'string' ||
    !reader.done
  ) {
    throw protocolError('an error or goaway frame does not carry code, class, message and details');
  }
  return { code, className, message, details: isDetails(details) ? details : undefined };
}

function sendableDetails(details: ErrorDetails | undefined): ErrorDetails | undefined {
  if (details === undefined) return undefined;
  try {
    const text = JSON.stringify(details);
    return text.length > MAX_DETAILS_CHARS ? undefined : (JSON.parse(text) as ErrorDetails);
  } catch {
    return undefined;
  }
}

function isDetails(value: unknown): value is ErrorDetails {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
