import { ServeError } from '@bentots/errors';

const FORM = /^(\d{1,9}(?:\.\d{1,6})?)(ms|s)?$/;

/**
 * Reads the `X-Request-Timeout` header into milliseconds: seconds as a number (`1.5`), or with a unit (`500ms`, `2s`).
 * @throws ServeError `invalid_argument` for anything else, also for 0
 */
export function parseRequestTimeout(text: string): number {
  const [, digits, unit] = FORM.exec(text.trim()) ?? [];
  const timeoutMs = Number(digits) * (unit === 'ms' ? 1 : 1000);
  if (timeoutMs > 0) return timeoutMs;
  throw new ServeError(
    'invalid_argument',
    `header x-request-timeout is '${text}'; expected seconds above 0, such as 1.5, 2s or 500ms`,
    { details: { header: 'x-request-timeout' } },
  );
}
