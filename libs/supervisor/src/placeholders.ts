import { ServeError } from '@bentots/errors';

/** What a worker's placeholders stand for. */
export interface PlaceholderValues {
  /** All but `env.NAME`: `worker.id`, `socket.http`, … */
  readonly facts: ReadonlyMap<string, string>;
  /** For `env.NAME`. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

const PLACEHOLDER = /\$\$\(|\$\(([^()]*)\)/g;

/**
 * Replaces each `$(name)` by its value; `$$(` stands for `$(` itself, as in a shell's command. Throws `invalid_option`
 * that says `where` it is, the name, and what is available.
 */
export function expandPlaceholders(text: string, values: PlaceholderValues, where: string): string {
  return text.replace(PLACEHOLDER, (whole, name?: string) => {
    if (name === undefined) return whole.slice(1);
    const value = name.startsWith('env.') ? values.env[name.slice(4)] : values.facts.get(name);
    if (value !== undefined) return value;
    throw new ServeError('invalid_option', `${where}: $(${name}) ${whyUnknown(name, values)}`);
  });
}

function whyUnknown(name: string, values: PlaceholderValues): string {
  if (name.startsWith('env.')) return `cannot be filled in: the variable ${name.slice(4)} is not set`;
  const available = [...values.facts.keys(), 'env.NAME'].map((known) => `$(${known})`).join(', ');
  return `is no placeholder here; available: ${available}; write $$(${name}) for the text itself`;
}
