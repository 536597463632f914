import { invalidService } from './invalid-service.js';
import { checkMethodSpec, type MethodSpec } from './method.js';
import { RESERVED_METHOD_NAMES, type RunnableClass } from './runnable.js';

/** What a runner may change of a method's settings. */
export interface MethodOverrides {
  /** `false` turns batching off for this runner; it cannot be turned on here. */
  readonly batchable?: false;
  readonly maxBatchSize?: number;
  /** In milliseconds. */
  readonly maxLatencyMs?: number;
  readonly idempotent?: boolean;
  /** Calls, or batches, that one worker runs at once. */
  readonly concurrency?: number;
}

/** A method's settings, and whether it streams. */
export interface RunnerMethodSpec extends MethodSpec {
  /** True for `async *` methods. */
  readonly stream: boolean;
  /** Calls, or batches, that one worker runs at once. */
  readonly concurrency: number;
  /** Whether it computes without waiting, so that nothing else can run in its worker meanwhile. */
  readonly blocks: boolean;
}

const OVERRIDABLE: readonly string[] = [
  'batchable',
  'maxBatchSize',
  'maxLatencyMs',
  'idempotent',
  'concurrency',
];

/** What waits for others leaves the thread free: a worker may have many of them, within reason. */
const ASYNC_CONCURRENCY = 1024;

/**
 * The methods that a class declares, with a runner's overrides, checked against what the class has.
 * The compiler checks the same for TypeScript; this is for plain JavaScript.
 */
export function compileMethods(
  where: string,
  runnable: RunnableClass,
  overrides: Readonly<Record<string, MethodOverrides | undefined>>,
): ReadonlyMap<string, RunnerMethodSpec> {
  const declared: unknown = runnable.methods;
  const className = runnable.name || 'the class';
  if (typeof declared !== 'object' || declared === null || Object.keys(declared).length === 0) {
    const hint = 'static readonly methods = { predict: batchable() }';
    throw invalidService(`${where}: ${className} declares no methods; write ${hint}`);
  }
  for (const name of Object.keys(overrides)) {
    if (!Object.hasOwn(declared, name)) {
      const known = Object.keys(declared).join(', ');
      throw invalidService(`${where}: options for unknown method '${name}'; ${className} declares ${known}`);
    }
  }
  return new Map(
    Object.entries(runnable.methods).map(([name, spec]) => [
      name,
      compileMethod(`${where}: method '${name}'`, runnable, name, spec, overrides[name] ?? {}),
    ]),
  );
}

function compileMethod(
  where: string,
  runnable: RunnableClass,
  name: string,
  spec: MethodSpec,
  overrides: MethodOverrides,
): RunnerMethodSpec {
  const prototype: unknown = runnable.prototype;
  const body: unknown = typeof prototype === 'object' && prototype !== null && Reflect.get(prototype, name);
  if (RESERVED_METHOD_NAMES.some((reserved) => reserved === name)) {
    throw invalidService(`${where} has a reserved name: ${RESERVED_METHOD_NAMES.join(', ')}`);
  }
  if (typeof body !== 'function') {
    throw invalidService(`${where} is declared, and class ${runnable.name} has no method of this name`);
  }
  for (const key of Object.keys(overrides)) {
    if (!OVERRIDABLE.includes(key)) {
      throw invalidService(`${where}: unknown option '${key}'; known are ${OVERRIDABLE.join(', ')}`);
    }
  }
  if (overrides.batchable !== undefined && overrides.batchable !== false) {
    throw invalidService(`${where}: batchable can only be turned off here; declare it with batchable()`);
  }
  const kind = Object.prototype.toString.call(body);
  const stream = kind === '[object AsyncGeneratorFunction]';
  const settings = { ...spec, ...overrides, stream };
  const waits = stream || (kind === '[object AsyncFunction]' && !settings.batchable);
  const concurrency = settings.concurrency ?? (waits ? ASYNC_CONCURRENCY : 1);
  const blocks = kind === '[object Function]' && concurrency === 1;
  const compiled = { ...settings, concurrency, blocks };
  checkMethodSpec(where, compiled);
  if (kind === '[object GeneratorFunction]') {
    throw invalidService(`${where} is a synchronous generator; make it 'async *${name}' to stream`);
  }
  if (stream && compiled.batchable) {
    throw invalidService(`${where} streams, so it cannot be batchable; declare it with method()`);
  }
  return Object.freeze(compiled);
}
