import type { CorsConfig } from '@bentots/config';
import { json, Service } from '@bentots/service';
import { expect, test } from 'vitest';
import { post, startEdge, until } from '../test/edge.js';

const PAGE = 'https://app.example';
const base: CorsConfig = { origins: [PAGE], methods: ['GET', 'HEAD', 'POST'], credentials: false };

function startWith(cors?: CorsConfig) {
  const service = new Service('demo').api('echo', { input: json(), output: json() }, (value, context) => {
    context.response.metadata['vary'] = 'accept';
    if (value === 'bad header') context.response.metadata['access-control-x'] = 'a\nb';
    return value;
  });
  return startEdge(service, { cors });
}

function preflight(url: string, origin = PAGE): Promise<Response> {
  const headers = {
    origin,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'content-type,x-key',
  };
  return fetch(url, { method: 'OPTIONS', headers });
}

function corsHeaders(response: Response): Record<string, string> {
  const shown = [...response.headers].filter(([name]) => /^(access-control-|vary)/.test(name));
  return Object.fromEntries(shown);
}

test('without configuration no page of another origin may call', async () => {
  const edge = await startWith();
  expect((await preflight(`${edge.url}/echo`)).status).toBe(405);
  const response = await post(`${edge.url}/echo`, 1, { origin: PAGE });
  expect(corsHeaders(response)).toEqual({ vary: 'accept' });
});

test('a preflight is answered with what is allowed', async () => {
  const limits = { headers: ['content-type'], maxAgeSeconds: 600, credentials: true };
  const edge = await startWith({ ...base, ...limits });
  const response = await preflight(`${edge.url}/echo`);
  expect(response.status).toBe(204);
  expect(corsHeaders(response)).toEqual({
    'access-control-allow-origin': PAGE,
    'access-control-allow-methods': 'GET, HEAD, POST',
    'access-control-allow-headers': 'content-type',
    'access-control-allow-credentials': 'true',
    'access-control-max-age': '600',
    vary: 'Origin',
  });
});

test('headers that a preflight asks for are allowed unless they are listed', async () => {
  const edge = await startWith(base);
  const { headers } = await preflight(`${edge.url}/echo`);
  expect(headers.get('access-control-allow-headers')).toBe('content-type,x-key');
});

test('an answer says which page may read it, and caches that it differs by origin', async () => {
  const edge = await startWith({ ...base, exposeHeaders: ['x-bentoml-request-id'] });
  const response = await post(`${edge.url}/echo`, 1, { origin: PAGE });
  expect(corsHeaders(response)).toEqual({
    'access-control-allow-origin': PAGE,
    'access-control-expose-headers': 'x-bentoml-request-id',
    vary: 'Origin, accept',
  });
});

test.each([
  ['another origin', 'https://evil.example', null],
  ['an origin that only contains the expression', 'https://a.b.example.evil', null],
  ['an origin that matches the expression', 'https://a.b.example', 'https://a.b.example'],
])('%s', async (_, origin, allowed) => {
  const edge = await startWith({ ...base, originRegex: String.raw`https://\w+\.b\.example` });
  for (const response of [
    await preflight(`${edge.url}/echo`, origin),
    await post(`${edge.url}/echo`, 1, { origin }),
  ]) {
    expect(response.headers.get('access-control-allow-origin')).toBe(allowed);
  }
});

test('all origins are one answer for all', async () => {
  const edge = await startWith({ ...base, origins: ['*'] });
  const { headers } = await post(`${edge.url}/echo`, 1, { origin: 'https://any.example' });
  expect(headers.get('access-control-allow-origin')).toBe('*');
  expect(headers.get('vary')).toBe('accept');
});

test('errors are readable too: of the input, of the answer, of the path', async () => {
  const edge = await startWith(base);
  const headers = { origin: PAGE };
  const answers = [
    [400, await fetch(`${edge.url}/echo`, { method: 'POST', body: '{', headers })],
    [404, await fetch(`${edge.url}/nothing`, { headers })],
    [405, await fetch(`${edge.url}/echo`, { headers })],
    [413, await fetch(`${edge.url}/echo`, { method: 'POST', body: 'x'.repeat(1_000_001), headers })],
    [500, await post(`${edge.url}/echo`, 'bad header', headers)],
  ] as const;
  for (const [status, response] of answers) {
    expect([status, response.status]).toEqual([status, status]);
    expect([status, response.headers.get('access-control-allow-origin')]).toEqual([status, PAGE]);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
  }
});

test('preflights and calls are each counted once, by their route', async () => {
  const edge = await startWith(base);
  await preflight(`${edge.url}/echo`);
  await post(`${edge.url}/echo`, 1, { origin: PAGE });
  await until(() => edge.lines.length === 2);
  expect(edge.lines[0]).toMatch(/method=OPTIONS,path=\/echo,.*status=204/);
  const text = await edge.metricsText();
  expect(text).toMatch(/request_total\{endpoint="\/echo"[^}]*code="204"[^}]*\} 1\n/);
  expect(text).toMatch(/request_total\{endpoint="\/echo"[^}]*code="200"[^}]*\} 1\n/);
});
