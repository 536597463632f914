import { ServeError } from '@bentots/errors';

import type { CorsConfig } from './config.js';
import type { HttpServerOptions } from './options.js';
import type { Values } from './read-values.js';

type CorsName = Extract<keyof HttpServerOptions, `cors${string}`>;

const METHODS = ['GET', 'HEAD', 'POST'];

/**
 * The CORS options as one; undefined when none was given.
 * @throws ServeError invalid_option for options that contradict each other, or that change nothing without origins
 */
export function compileCors(values: Values<Pick<HttpServerOptions, CorsName>>): CorsConfig | undefined {
  const { corsOrigins: origins = [], corsOriginRegex: originRegex, corsCredentials: credentials } = values;
  if (origins.length === 0 && originRegex === undefined) return refuseWithoutOrigins(values);
  if (origins.includes('*')) {
    if (credentials)
      throw invalid('corsCredentials', "is true with the origin '*'; browsers refuse that, name the origins");
    if (origins.length > 1 || originRegex !== undefined)
      throw invalid('corsOrigins', "has '*' and other origins; '*' allows them all, give it alone");
  }
  return {
    origins,
    ...(originRegex !== undefined && { originRegex }),
    methods: values.corsMethods ?? METHODS,
    ...(values.corsHeaders && { headers: values.corsHeaders }),
    ...(values.corsExposeHeaders && { exposeHeaders: values.corsExposeHeaders }),
    credentials: credentials ?? false,
    ...(values.corsMaxAge !== undefined && { maxAgeSeconds: values.corsMaxAge }),
  };
}

function refuseWithoutOrigins(values: Values<Pick<HttpServerOptions, CorsName>>): undefined {
  const { corsMethods, corsHeaders, corsExposeHeaders, corsCredentials, corsMaxAge } = values;
  const others = { corsMethods, corsHeaders, corsExposeHeaders, corsCredentials, corsMaxAge };
  const [given] = Object.entries(others).find(([, value]) => value !== undefined && value !== false) ?? [];
  if (given !== undefined)
    throw invalid(
      given,
      'changes nothing without corsOrigins or corsOriginRegex; say which origins may call',
    );
}

function invalid(option: string, what: string): ServeError {
  return new ServeError('invalid_option', `option '${option}' ${what}`, { details: { option } });
}
