import { ServeError } from '@bentots/errors';
import { formatAddress, parseAddress, type RunnerAddress } from './address.js';

/** Runner names → the addresses of their replicas, in the order they were given; never an empty list. */
export type RunnerMap = ReadonlyMap<string, readonly RunnerAddress[]>;

/** What {@link parseRunnerMap} reads: text, several texts (repeated flags), or an object. */
export type RunnerMapInput =
  string | readonly string[] | Readonly<Record<string, string | readonly string[]>>;

/**
 * Reads a runner map in any of its forms; all forms mean the same:
 * - text: `name=tcp://host:port`, split at the first `=`, entries apart by white space;
 * - JSON text of an object: `{"name": "tcp://host:port"}`; values are an address or an array of addresses;
 * - several texts: the entries of all, as repeated flags give them;
 * - an object like the JSON one.
 *
 * Replicas: a name given several times, an array, or addresses apart by `,`. The same address twice counts once.
 *
 * @throws ServeError `runner_map_invalid` naming the entry, the wrong part and what was expected.
 */
export function parseRunnerMap(input: RunnerMapInput): RunnerMap {
  const map = new Map<string, RunnerAddress[]>();
  for (const [name, addresses] of entriesOf(input)) addReplicas(map, name, addresses);
  return map;
}

/** The map as a plain object of address texts, which {@link parseRunnerMap} reads back; JSON-safe. */
export function formatRunnerMap(map: RunnerMap): Record<string, string[]> {
  return Object.fromEntries([...map].map(([name, addresses]) => [name, addresses.map(formatAddress)]));
}

type Entry = readonly [name: string, addresses: string];

function entriesOf(input: unknown): Entry[] {
  if (typeof input === 'string') return entriesOfText(input);
  if (Array.isArray(input)) return input.flatMap((text: unknown) => entriesOfText(text));
  return entriesOfObject(input);
}

function entriesOfText(text: unknown): Entry[] {
  if (typeof text !== 'string')
    throw invalid(String(text), `is ${kindOf(text)}; expected 'name=tcp://host:port'`);
  const trimmed = text.trim();
  if (trimmed.startsWith('{')) return entriesOfObject(parseJson(trimmed));
  return trimmed === '' ? [] : trimmed.split(/\s+/).map(splitEntry);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ServeError('runner_map_invalid', `runner map is not valid JSON: ${String(cause)}`, { cause });
  }
}

function splitEntry(entry: string): Entry {
  const at = entry.indexOf('=');
  if (at < 0) throw invalid(entry, "has no '='; expected 'name=tcp://host:port'");
  return [entry.slice(0, at), entry.slice(at + 1)];
}

function entriesOfObject(value: unknown): Entry[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ServeError(
      'runner_map_invalid',
      `runner map is ${kindOf(value)}; expected an object of name → address`,
    );
  }
  return Object.entries(value).flatMap(([name, addresses]) => entriesOfValue(name, addresses));
}

function entriesOfValue(name: string, value: unknown): Entry[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (list.length === 0) throw invalid(name, 'has no address; expected at least one');
  return list.map((address): Entry => {
    if (typeof address === 'string') return [name, address];
    throw invalid(name, `has ${kindOf(address)} for an address; expected text such as 'tcp://host:port'`);
  });
}

function addReplicas(map: Map<string, RunnerAddress[]>, name: string, addresses: string): void {
  const entry = `${name}=${addresses}`;
  if (name.trim() === '') throw invalid(entry, "has no name before the '='");
  if (addresses.trim() === '') throw invalid(entry, "has no address after the '='");
  const replicas = map.get(name) ?? [];
  map.set(name, replicas);
  // Only a comma before the next scheme separates: a unix path may hold commas.
  for (const text of addresses.split(/,\s*(?=[a-zA-Z][a-zA-Z0-9+.-]*:\/\/)/)) {
    const address = parseIn(entry, text.trim());
    const key = formatAddress(address);
    if (!replicas.some((known) => formatAddress(known) === key)) replicas.push(address);
  }
}

/** An address's own error, with the entry it stands in. */
function parseIn(entry: string, address: string): RunnerAddress {
  try {
    return parseAddress(address);
  } catch (error) {
    if (!(error instanceof ServeError)) throw error;
    throw new ServeError(error.code, `runner map entry '${entry}': ${error.message}`, {
      details: { ...error.details, entry },
      cause: error,
    });
  }
}

function invalid(entry: string, words: string): ServeError {
  return new ServeError('runner_map_invalid', `runner map entry '${entry}' ${words}`, { details: { entry } });
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'an array' : `${typeof value === 'object' ? 'an' : 'a'} ${typeof value}`;
}
