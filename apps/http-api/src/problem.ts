import { STATUS_CODES } from 'node:http';
import { type ErrorDetails, httpStatusOf, ServeError } from '@bentots/errors';

/** The media type of every error body (RFC 9457). */
export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

/** An error as it is answered. */
export interface Problem {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const STANDARD = new Set(['type', 'title', 'status', 'detail', 'code', 'allow']);

/** Reason phrases that Node does not know. */
const TITLES: Readonly<Record<number, string>> = { 499: 'Client Closed Request' };

/**
 * How `error` is said in HTTP: status by the one error table; `Retry-After` where trying again can help; `Allow`
 * beside a wrong method; the details as members of the body.
 */
export function toProblem(error: ServeError): Problem {
  const status = httpStatusOf(error.code);
  const details = error.details ?? {};
  const body = {
    // RFC 9457: says no more than the status; `code` does, and is what programs are to look at.
    type: 'about:blank',
    title: TITLES[status] ?? STATUS_CODES[status] ?? 'Error',
    status,
    detail: error.message,
    code: error.code,
    ...Object.fromEntries(Object.entries(details).filter(([name]) => !STANDARD.has(name))),
  };
  return { status, headers: headersOf(status, details), body: stringify(body) };
}

function headersOf(status: number, details: ErrorDetails): Readonly<Record<string, string>> {
  const { allow, retryAfterMs } = details;
  // Whole seconds are all that the header can say; the details have the milliseconds.
  const isKnown = typeof retryAfterMs === 'number' && Number.isFinite(retryAfterMs);
  const seconds = isKnown ? Math.max(1, Math.ceil(retryAfterMs / 1000)) : 1;
  return {
    'content-type': PROBLEM_TYPE,
    ...(status === 405 && typeof allow === 'string' && { allow }),
    ...((status === 429 || status === 503) && { 'retry-after': String(seconds) }),
  };
}

/** Details come from users too: one that is no JSON must not cost the client the error itself. */
function stringify(body: object): string {
  try {
    return JSON.stringify(body);
  } catch {
    const { type, title, status, detail, code } = body as Record<string, unknown>;
    return JSON.stringify({ type, title, status, detail, code });
  }
}

/** What Fastify says in its own words, in ours. */
const FRAMEWORK_CODES = {
  400: 'invalid_argument',
  404: 'not_found',
  413: 'payload_too_large',
  414: 'invalid_argument',
  415: 'unsupported_media_type',
} as const;

/** Any error on its way to a client as a ServeError; Fastify's own refusals keep their meaning and words. */
export function toServeError(error: unknown): ServeError {
  if (error instanceof ServeError || !(error instanceof Error)) return ServeError.from(error);
  const { statusCode, code } = error as { statusCode?: unknown; code?: unknown };
  const isFramework = typeof code === 'string' && code.startsWith('FST_');
  const own = Object.entries(FRAMEWORK_CODES).find(([status]) => Number(status) === statusCode)?.[1];
  if (!isFramework || own === undefined) return ServeError.from(error);
  return new ServeError(own, error.message.charAt(0).toLowerCase() + error.message.slice(1), {
    cause: error,
  });
}
