import { ServeError } from '@bentots/errors';
import type { RunnerMap } from './parse-runner-map.js';

/** The facts of a service that {@link checkRunnerMap} needs. */
export interface MappedService {
  readonly name: string;
  readonly runners: readonly { readonly name: string; readonly embedded: boolean }[];
}

/**
 * Passes when every runner that lives outside the API process has an address. Embedded runners need none; entries
 * for unknown names are allowed, so that one map can serve several services.
 *
 * @throws ServeError `runner_map_invalid` naming what is missing, what the service needs and what the map has.
 */
export function checkRunnerMap(map: RunnerMap, service: MappedService): void {
  const required = service.runners.filter((runner) => !runner.embedded).map((runner) => runner.name);
  const missing = required.filter((name) => !map.has(name));
  if (missing.length === 0) return;
  const mapped = [...map.keys()];
  throw new ServeError(
    'runner_map_invalid',
    `the runner map lacks ${quote(missing)}: service '${service.name}' needs ${quote(required)}, ` +
      `the map has ${mapped.length === 0 ? 'no entry' : quote(mapped)}; add '${missing[0]}=tcp://host:port'`,
    { details: { missing, required, mapped } },
  );
}

function quote(names: readonly string[]): string {
  return names.map((name) => `'${name}'`).join(', ');
}
