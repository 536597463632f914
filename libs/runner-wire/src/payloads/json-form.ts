import { ServeError } from '@bentots/errors';
import { isRecord } from '@bentots/service';

/** Deeper nesting is refused, long before anything that walks the value could run out of stack. */
const MAX_JSON_DEPTH = 256;

/**
 * Whether an array may travel as JSON text without changing: every item, however deep, is JSON and every number
 * in its arrays finite. An array that may not is sent item by item.
 */
export function isJsonArray(items: readonly unknown[], depth = 0): boolean {
  checkDepth(depth);
  for (const item of items) {
    if (typeof item === 'number') {
      if (!Number.isFinite(item) || Object.is(item, -0)) return false;
    } else if (typeof item === 'object' && item !== null) {
      if (Array.isArray(item) ? !isJsonArray(item, depth + 1) : !isJsonObject(item, depth + 1)) return false;
    } else if (typeof item !== 'string' && typeof item !== 'boolean' && item !== null) {
      return false;
    }
  }
  return true;
}

/**
 * Whether a value is a plain object of JSON. Inside it JSON's own rules hold: keys whose value is `undefined` count as
 * absent, numbers that are not finite become null.
 */
export function isJsonObject(value: object, depth = 0): boolean {
  return isRecord(value) && areJson(Object.values(value), depth);
}

function areJson(items: readonly unknown[], depth: number): boolean {
  checkDepth(depth);
  for (const item of items) {
    if (typeof item === 'object' && item !== null) {
      if (Array.isArray(item) ? !areJson(item, depth + 1) : !isJsonObject(item, depth + 1)) return false;
    } else if (typeof item === 'function' || typeof item === 'symbol' || typeof item === 'bigint') {
      return false;
    }
  }
  return true;
}

function checkDepth(depth: number): void {
  if (depth > MAX_JSON_DEPTH) throw unsupported(`a value nested deeper than ${MAX_JSON_DEPTH} levels`);
}

/** The refusal of a value that no frame can say. */
export function unsupported(what: string): ServeError {
  return new ServeError(
    'invalid_argument',
    `${what} cannot cross to or from a runner; expected JSON, text, bytes, Tensor, FileValue, Image, or arrays and plain objects of them`,
  );
}

/** The class or type of a value, for messages. */
export function nameOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return `a ${typeof value}`;
  const name: unknown = value.constructor?.name;
  return typeof name === 'string' && name !== '' ? `a value of class ${name}` : 'an object without a class';
}
