import { ServeError } from '@bentots/errors';
import type { Service } from '@bentots/service';
import { pathOf } from './exchange.js';

/** Paths that exist → the methods they answer. */
export type KnownRoutes = ReadonlyMap<string, readonly string[]>;

/** The metric label of everything that has no path of ours; one, as clients can think of any number of paths. */
const UNKNOWN = 'unknown';
const ASSETS = '/static_content/';

/** Every path the server answers. */
export function listRoutes(service: Service, hasMetrics: boolean): KnownRoutes {
  const pages = ['/', '/docs.json', '/livez', '/healthz', '/readyz', ...(hasMetrics ? ['/metrics'] : [])];
  return new Map([
    ...pages.map((path): [string, string[]] => [path, ['GET', 'HEAD']]),
    ...[...service.apis.values()].map((api): [string, string[]] => [api.route, ['POST']]),
  ]);
}

/** The metric label of a request that is no API call: its path when that is one of ours. */
export function labelOf(routes: KnownRoutes, url: string | undefined): string {
  const path = pathOf(url);
  if (routes.has(path)) return path;
  return path.startsWith(ASSETS) ? `${ASSETS}:name` : UNKNOWN;
}

/** Why a request found no route: its path exists for other methods, or not at all. */
export function explainNoRoute(routes: KnownRoutes, method: string, url: string | undefined): ServeError {
  const path = pathOf(url);
  const methods = routes.get(path);
  if (methods === undefined) {
    return new ServeError('not_found', `no API or page has the path '${path}'; GET /docs.json lists them`);
  }
  const allow = methods.join(', ');
  return new ServeError('method_not_allowed', `'${path}' does not answer ${method}; it answers ${allow}`, {
    details: { allow, allowed: methods },
  });
}
