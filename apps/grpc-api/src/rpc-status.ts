import { type ErrorCode, type ErrorDetails, grpcStatusOf, type ServeError } from '@bentots/errors';
import type { Any } from './wire/google/protobuf/any.gen.js';
import {
  BadRequest,
  type BadRequest_FieldViolation as FieldViolation,
  ErrorInfo,
  RetryInfo,
} from './wire/google/rpc/error_details.gen.js';
import { Status } from './wire/google/rpc/status.gen.js';

/** Whose reasons ours are, in `google.rpc.ErrorInfo`. */
export const ERROR_DOMAIN = 'bentots';

/** Clients refuse long headers (8 KiB in many), and these bytes travel as base64, beside others. */
const MAX_BYTES = 2048;
/** Violations told; the error's message has them all. */
const MAX_VIOLATIONS = 16;
/** What a refused client is told to wait when nobody knows better. */
const DEFAULT_RETRY_MS = 1000;

/** Errors after which the same call may succeed: the server refused it, and did no work. */
const REFUSALS: ReadonlySet<ErrorCode> = new Set(['too_many_requests', 'overloaded', 'unavailable']);

/**
 * An error as `google.rpc.Status`: ErrorInfo (the code of the table, the details as strings), RetryInfo when the call
 * was refused, BadRequest when the details name places in the request. Without details and violations when it would be
 * too long for a header; undefined when even then.
 */
export function encodeRpcStatus(error: ServeError): Uint8Array | undefined {
  const { details = {} } = error;
  const whole = encode(error, [infoOf(error, details), ...retryOf(error, details), ...violationsIn(details)]);
  if (whole.length <= MAX_BYTES) return whole;
  const short = encode(error, [infoOf(error, {}), ...retryOf(error, details)]);
  return short.length <= MAX_BYTES ? short : undefined;
}

function encode({ code, message }: ServeError, details: Any[]): Uint8Array {
  return Status.encode({ code: grpcStatusOf(code), message, details }).finish();
}

function infoOf({ code }: ServeError, details: ErrorDetails): Any {
  const metadata = Object.fromEntries(
    Object.entries(details).flatMap(([key, value]) => {
      const text = stringify(value);
      return text === undefined ? [] : [[key, text]];
    }),
  );
  return pack('ErrorInfo', ErrorInfo.encode({ reason: code, domain: ERROR_DOMAIN, metadata }));
}

function retryOf({ code }: ServeError, { retryAfterMs }: ErrorDetails): Any[] {
  if (!REFUSALS.has(code)) return [];
  const isKnown = typeof retryAfterMs === 'number' && Number.isFinite(retryAfterMs) && retryAfterMs >= 0;
  const delayMs = Math.round(isKnown ? retryAfterMs : DEFAULT_RETRY_MS);
  const retryDelay = { seconds: BigInt(Math.floor(delayMs / 1000)), nanos: (delayMs % 1000) * 1_000_000 };
  return [pack('RetryInfo', RetryInfo.encode({ retryDelay }))];
}

function violationsIn({ issues }: ErrorDetails): Any[] {
  if (!Array.isArray(issues)) return [];
  const fieldViolations = issues.flatMap(violationOf).slice(0, MAX_VIOLATIONS);
  return fieldViolations.length === 0 ? [] : [pack('BadRequest', BadRequest.encode({ fieldViolations }))];
}

/** An issue as the schema libraries tell them: a path, as text or in steps, and a message. */
function violationOf(issue: unknown): FieldViolation[] {
  if (typeof issue !== 'object' || issue === null || !('path' in issue)) return [];
  const field = Array.isArray(issue.path) ? issue.path.map(String).join('.') : issue.path;
  if (typeof field !== 'string') return [];
  return [{ field, description: 'message' in issue ? String(issue.message) : '' }];
}

function pack(type: string, message: { finish(): Uint8Array }): Any {
  return { typeUrl: `type.googleapis.com/google.rpc.${type}`, value: message.finish() };
}

/** Undefined for what JSON cannot say. */
function stringify(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}
