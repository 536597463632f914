import { ServeError } from '@bentots/errors';
import { type Service, isService } from '@bentots/service';
import type { ModuleExports } from './import-module.js';

/**
 * The service among a module's exports: the one that `attribute` names, or else the only one. One object exported
 * under several names is one service. `module` names the module in messages.
 *
 * @throws ServeError `service_not_found` when the attribute is missing; `service_invalid` when what is there is no
 *   Service, when there is none, or more than one.
 */
export function pickService(
  exports: ModuleExports,
  attribute: readonly string[] | undefined,
  module: string,
): Service {
  return attribute === undefined ? pickOnly(exports, module) : pickNamed(exports, attribute, module);
}

function pickNamed(exports: ModuleExports, attribute: readonly string[], module: string): Service {
  const path = attribute.join('.');
  const value = attribute.reduce<unknown>((holder, name, depth) => {
    if (isHolder(holder) && name in holder) return holder[name];
    const place = depth === 0 ? module : `${attribute.slice(0, depth).join('.')} of ${module}`;
    const held = isHolder(holder) ? listOf(holder) : 'nothing';
    throw new ServeError('service_not_found', `${place} has no '${name}'; it has ${held}`, {
      details: { module, attribute: path },
    });
  }, exports);
  if (isService(value)) return value;
  throw new ServeError(
    'service_invalid',
    `'${path}' of ${module} is ${describeValue(value)}, not a Service; it has ${listOf(exports)}`,
    { details: { module, attribute: path } },
  );
}

function pickOnly(exports: ModuleExports, module: string): Service {
  const found = Object.entries(exports).flatMap(([name, value]) =>
    isService(value) ? [{ name, service: value }] : [],
  );
  const [first] = found;
  if (first === undefined) {
    throw new ServeError(
      'service_invalid',
      `${module} exports no Service: it has ${listOf(exports)}; export one: export const svc = new Service('name')`,
      { details: { module } },
    );
  }
  if (found.every(({ service }) => service === first.service)) return first.service;
  const names = found.map(({ name, service }) => `${name} ('${service.name}')`).join(', ');
  throw new ServeError(
    'service_invalid',
    `${module} exports ${found.length} services: ${names}; name one of them: ${module}:${first.name}`,
    { details: { module, services: found.map(({ name }) => name) } },
  );
}

function listOf(holder: Readonly<Record<string, unknown>>): string {
  const names = Object.keys(holder).filter((name) => name !== '__esModule');
  const shown = names.slice(0, 12).map((name) => `${name} (${describeValue(holder[name])})`);
  if (names.length > shown.length) shown.push(`${names.length - shown.length} more`);
  return shown.length === 0 ? 'no exports' : shown.join(', ');
}

function describeValue(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (isService(value)) return `Service '${value.name}'`;
  if (Array.isArray(value)) return 'an array';
  if (typeof value !== 'object') return `a ${typeof value}`;
  const kind: unknown = value.constructor?.name;
  return typeof kind === 'string' && kind !== 'Object' && kind !== '' ? `a ${kind}` : 'an object';
}

function isHolder(value: unknown): value is Readonly<Record<string, unknown>> {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}
