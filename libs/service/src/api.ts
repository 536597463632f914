import type { IODescriptor } from './io/descriptor.js';
import { checkPositive, invalidService } from './invalid-service.js';
import type { Priority } from './runner-handle.js';
import type { AnyRunner } from './runner.js';

/** What an API function is told about the request, and may say about the answer. */
export interface ApiContext {
  readonly apiName: string;
  readonly requestId: string;
  readonly protocol: 'http' | 'grpc';
  readonly request: {
    /** HTTP headers or gRPC metadata; keys in lower case. */
    readonly metadata: Readonly<Record<string, string>>;
  };
  readonly response: {
    /** HTTP status of a successful answer; `undefined` for the usual one. */
    status: number | undefined;
    /** Headers or metadata to send. */
    readonly metadata: Record<string, string>;
  };
  /** Shared by all requests of one worker; start-up hooks fill it. */
  readonly state: Record<string, unknown>;
  /** Aborted when the client went away or the time is over. */
  readonly signal: AbortSignal;
  /** When the time is over, in milliseconds since the epoch. */
  readonly deadline: number | undefined;
}

/** The function of an API: gets what the input descriptor decoded, returns what the output descriptor encodes. */
export type ApiFunction<I, O> = (input: I, context: ApiContext) => O | Promise<O>;

/** Options of {@link Service.api}. */
export interface ApiOptions<I, O> {
  /** What the request carries. */
  readonly input: IODescriptor<I>;
  /** What the answer carries. */
  readonly output: IODescriptor<O>;
  /** Path of the HTTP route. @default '/' and the name */
  readonly route?: string;
  /** Shown in the API's documentation. */
  readonly description?: string;
  /** Most time for one request, in milliseconds. @default the server's */
  readonly timeoutMs?: number;
  /** Those of the service's runners that it calls: it is ready when they are. @default all of them */
  readonly runners?: readonly AnyRunner[];
  /**
   * Which of the calls that wait at a runner go first: all that are `high` before those that are `normal`, and these
   * before `low` ones. @default 'normal'
   */
  readonly priority?: Priority;
}

/** An API of a service, for the project's servers. */
export interface Api {
  readonly name: string;
  /** With a leading slash. */
  readonly route: string;
  readonly input: IODescriptor<unknown>;
  readonly output: IODescriptor<unknown>;
  readonly description: string | undefined;
  readonly timeoutMs: number | undefined;
  /** Names of the runners without which it cannot work. */
  readonly runners: readonly string[];
  /** Of the runner calls that it makes. */
  readonly priority: Priority;
  /** The user's function; it may throw anything, or return a promise. */
  call(input: unknown, context: ApiContext): unknown;
}

const RESERVED_NAMES = ['index', 'swagger', 'docs', 'metrics', 'healthz', 'livez', 'readyz'];
const RESERVED_ROUTES = ['/', '/docs', '/docs.json', '/metrics', '/livez', '/healthz', '/readyz'];

/**
 * Checks an API's options and gives them their final form.
 *
 * @throws ServeError `service_invalid` naming the API and what is wrong with it.
 */
export function compileApi<I, O>(
  name: string,
  options: ApiOptions<I, O>,
  fn: ApiFunction<I, O>,
  runners: ReadonlyMap<string, AnyRunner>,
): Api {
  checkApiName(name);
  const where = `API '${name}'`;
  if (typeof fn !== 'function') throw invalidService(`${where}: its function is ${typeof fn}`);
  checkDescriptor(`${where}: input`, options.input);
  checkDescriptor(`${where}: output`, options.output);
  if (options.timeoutMs !== undefined) checkPositive(`${where}: timeoutMs`, options.timeoutMs);
  return Object.freeze({
    name,
    route: compileRoute(where, options.route ?? name),
    input: options.input,
    output: options.output,
    description: options.description,
    timeoutMs: options.timeoutMs,
    runners: pickRunners(where, options.runners, runners),
    priority: compilePriority(where, options.priority),
    call: fn,
  });
}

function checkApiName(name: unknown): void {
  if (typeof name !== 'string' || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    throw invalidService(`API name '${String(name)}' is no identifier: use letters, digits and '_'`);
  }
  if (RESERVED_NAMES.includes(name)) {
    throw invalidService(`API name '${name}' is reserved, as are ${RESERVED_NAMES.join(', ')}`);
  }
}

function compileRoute(where: string, given: unknown): string {
  if (typeof given !== 'string')
    throw invalidService(`${where}: route is ${typeof given}, expected a string`);
  const route = given.startsWith('/') ? given : `/${given}`;
  const bad = /[^!-~]|[?#:*\\]/.exec(route);
  if (bad) {
    const got = JSON.stringify(bad[0]);
    throw invalidService(`${where}: route '${given}' contains ${got}; use plain path characters`);
  }
  if (route.startsWith('//')) throw invalidService(`${where}: route '${given}' starts with '//'`);
  if (RESERVED_ROUTES.includes(route)) {
    throw invalidService(`${where}: route '${route}' is reserved, as are ${RESERVED_ROUTES.join(' ')}`);
  }
  return route;
}

const PRIORITIES: readonly unknown[] = ['high', 'normal', 'low'] satisfies Priority[];

function compilePriority(where: string, given: Priority = 'normal'): Priority {
  if (PRIORITIES.includes(given)) return given;
  const got = typeof given === 'string' ? `'${String(given)}'` : String(given);
  throw invalidService(`${where}: priority is ${got}; expected 'high', 'normal' or 'low'`);
}

function pickRunners(
  where: string,
  given: readonly AnyRunner[] | undefined,
  known: ReadonlyMap<string, AnyRunner>,
): readonly string[] {
  if (given === undefined) return [...known.keys()];
  return given.map((runner, index) => {
    const name = runner?.definition?.name;
    if (known.get(name) === runner) return name;
    const list = [...known.keys()].join(', ') || 'none';
    if (name === undefined) throw invalidService(`${where}: runners[${index}] is no runner`);
    throw invalidService(`${where}: runner '${name}' is not among the runners of its service: ${list}`);
  });
}

function checkDescriptor(where: string, value: unknown): void {
  const known = typeof value === 'object' && value !== null && 'decodeBody' in value && 'encodeBody' in value;
  if (!known)
    throw invalidService(
      `${where} is no IO descriptor; use json(), text(), tensor(), image(), file() or multipart()`,
    );
}
