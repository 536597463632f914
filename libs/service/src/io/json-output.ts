import { ServeError } from '@bentots/errors';
import { kindOf } from '../kind-of.js';
import { formatPath } from './format-path.js';

/**
 * A value as compact JSON; `undefined` becomes the empty text.
 *
 * @throws ServeError `internal` naming the path of what JSON cannot say: NaN, Infinity, a bigint, a cycle.
 */
export function stringifyJson(value: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (cause) {
    const place = findUnspeakable(value, [], new Set());
    if (place !== undefined) throw place;
    if (cause instanceof ServeError) throw cause;
    throw new ServeError('internal', "the API's output cannot be written as JSON", { cause });
  }
  if (text === undefined) {
    if (value === undefined) return '';
    throw new ServeError('internal', `the API's output is ${kindOf(value)}, which JSON cannot say`);
  }
  // JSON.stringify turns NaN and Infinity into null; only a text with a null in it needs the slow look.
  const place = text.includes('null') ? findUnspeakable(value, [], new Set()) : undefined;
  if (place !== undefined) throw place;
  return text;
}

/** Walks as JSON.stringify does, and returns the error for the first thing that it cannot say. */
function findUnspeakable(
  value: unknown,
  path: (string | number)[],
  above: Set<object>,
): ServeError | undefined {
  if (typeof value === 'number' && !Number.isFinite(value)) return unspeakable(value, path);
  if (typeof value === 'bigint') return unspeakable(value, path);
  if (typeof value !== 'object' || value === null) return undefined;
  if (above.has(value)) return unspeakable('a cycle', path);
  above.add(value);
  const toJSON: unknown = Reflect.get(value, 'toJSON');
  const plain: unknown = typeof toJSON === 'function' ? toJSON.call(value) : value;
  const found = plain === value ? findInEntries(value, path, above) : findUnspeakable(plain, path, above);
  above.delete(value);
  return found;
}

function findInEntries(value: object, path: (string | number)[], above: Set<object>): ServeError | undefined {
  for (const [key, entry] of Object.entries(value)) {
    path.push(Array.isArray(value) ? Number(key) : key);
    const found = findUnspeakable(entry, path, above);
    if (found !== undefined) return found;
    path.pop();
  }
  return undefined;
}

function unspeakable(value: unknown, path: readonly (string | number)[]): ServeError {
  const where = formatPath(path);
  const what = value === 'a cycle' ? value : kindOf(value);
  return new ServeError('internal', `the API's output has ${what} at ${where}, which JSON cannot say`, {
    details: { path: where },
  });
}
