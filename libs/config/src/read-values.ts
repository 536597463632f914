import { ServeError } from '@bentots/errors';

import type { Environment } from './environment.js';
import type { Field } from './field.js';

/** One {@link Field} for every option of a set. */
export type Fields<O extends object> = { readonly [K in keyof Required<O>]: Field<NonNullable<O[K]>> };

/** The options after checking: given or from the environment or default; undefined where there is no default. */
export type Values<O extends object> = { readonly [K in keyof Required<O>]: NonNullable<O[K]> | undefined };

/**
 * Takes each option from `options`, else from the environment, and checks it; else from `defaults`, else its own default.
 * An option that is explicitly undefined counts as absent, an empty environment variable as unset.
 * @throws ServeError invalid_option that names the option (and the variable it came from), the value and what was expected
 */
export function readValues<O extends object>(
  fields: Fields<O>,
  options: NoInfer<O>,
  environment: Environment,
  defaults: object = {},
): Values<O> {
  refuseUnknown(Object.keys(fields), options);
  const given = new Map<string, unknown>(Object.entries(options));
  const fallback = new Map<string, unknown>(Object.entries(defaults));
  const entries = Object.entries<Field<unknown>>(fields).map(([name, field]) => {
    return [
      name,
      readValue(name, field, given.get(name), environment) ?? fallback.get(name) ?? field.initial,
    ];
  });
  return Object.fromEntries(entries) as Values<O>; // its keys are those of `fields`
}

function readValue(name: string, field: Field<unknown>, given: unknown, environment: Environment): unknown {
  if (given !== undefined) return check(name, field, given);
  const text = field.env === undefined ? undefined : environment[field.env];
  if (text === undefined || text === '') return undefined;
  return check(name, field, field.fromText(text), field.env);
}

function check(name: string, field: Field<unknown>, value: unknown, env?: string): unknown {
  const result = field.schema.safeParse(value);
  if (result.success) return result.data;
  const shown = field.secret ? '(hidden)' : show(value);
  const from = env === undefined ? '' : ` (from ${env})`;
  throw new ServeError('invalid_option', `option '${name}' is ${shown}${from}; expected ${field.expected}`, {
    details: { option: name, expected: field.expected, ...(env !== undefined && { env }) },
  });
}

function refuseUnknown(known: readonly string[], options: object): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || known.includes(name)) continue;
    throw new ServeError('invalid_option', `unknown option '${name}'; options are: ${known.join(', ')}`, {
      details: { option: name },
    });
  }
}

function show(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value); // a bigint, or a value that contains itself
  }
}
