import { ServeError } from '@bentots/errors';
import type { RunnerFacts, Service } from '@bentots/service';

/** The runner that a worker is to serve. @throws ServeError `runner_not_found` naming the available ones. */
export function pickRunner(service: Service, name: string): RunnerFacts {
  const runner = service.runners.get(name);
  if (runner !== undefined) return runner.definition;
  const available = [...service.runners.keys()];
  throw new ServeError(
    'runner_not_found',
    `service '${service.name}' has no runner '${name}'; available: ${available.join(', ') || 'none'}`,
    { details: { runner: name, available } },
  );
}
