import { describe, expect, test } from 'vitest';

import { compileHttpServerConfig, compileServeConfig } from './compile-config.js';
import type { HttpServerOptions } from './options.js';

function cors(options: HttpServerOptions, env: Record<string, string> = {}) {
  return compileHttpServerConfig(options, env, { cpus: 1 }).cors;
}

describe('CORS', () => {
  test('is off unless origins are named', () => {
    expect(cors({})).toBeUndefined();
    expect(cors({ corsCredentials: false })).toBeUndefined();
  });

  test('needs no more than an origin', () => {
    expect(cors({ corsOrigins: ['https://app.example'] })).toEqual({
      origins: ['https://app.example'],
      methods: ['GET', 'HEAD', 'POST'],
      credentials: false,
    });
    expect(compileServeConfig({ corsOrigins: ['*'] }, {}, { cpus: 1 }).http.cors?.origins).toEqual(['*']);
  });

  test('is read from the environment, lists with commas or spaces', () => {
    const env = {
      BENTOTS_CORS_ORIGINS: 'https://a.example, http://localhost:5173',
      BENTOTS_CORS_ORIGIN_REGEX: String.raw`https://.*\.b\.example`,
      BENTOTS_CORS_METHODS: 'POST',
      BENTOTS_CORS_HEADERS: 'content-type x-key',
      BENTOTS_CORS_EXPOSE_HEADERS: 'x-bentoml-request-id',
      BENTOTS_CORS_CREDENTIALS: 'yes',
      BENTOTS_CORS_MAX_AGE: '600',
    };
    expect(cors({}, env)).toEqual({
      origins: ['https://a.example', 'http://localhost:5173'],
      originRegex: String.raw`https://.*\.b\.example`,
      methods: ['POST'],
      headers: ['content-type', 'x-key'],
      exposeHeaders: ['x-bentoml-request-id'],
      credentials: true,
      maxAgeSeconds: 600,
    });
  });

  test.each<[HttpServerOptions, string]>([
    [{ corsOrigins: ['*'], corsCredentials: true }, "'corsCredentials' is true with the origin '*'"],
    [{ corsOrigins: ['*', 'https://a.example'] }, "'corsOrigins' has '*' and other origins"],
    [{ corsOrigins: ['*'], corsOriginRegex: 'x' }, "'corsOrigins' has '*' and other origins"],
    [{ corsCredentials: true }, "'corsCredentials' changes nothing without corsOrigins"],
    [{ corsMaxAge: 5 }, "'corsMaxAge' changes nothing without corsOrigins"],
    [{ corsOrigins: ['https://a.example/'] }, 'without a path'],
    [{ corsOrigins: ['a.example'] }, 'origins such as https://app.example'],
    [{ corsOrigins: ['https://*.example'] }, 'origins such as https://app.example'],
    [{ corsOrigins: [] }, 'origins such as https://app.example'],
    [{ corsOrigins: ['null'] }, 'origins such as https://app.example'],
    [{ corsOriginRegex: '(' }, 'expected a regular expression'],
    [{ corsOrigins: ['*'], corsHeaders: ['a b'] }, 'names of headers'],
  ])('%j is refused', (options, message) => {
    expect(() => cors(options)).toThrow(message);
    expect(() => cors(options)).toThrow(expect.objectContaining({ code: 'invalid_option' }));
  });
});
