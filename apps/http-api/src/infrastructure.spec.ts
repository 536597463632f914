import { createRunner, json, method, Service } from '@bentots/service';
import { describe, expect, test } from 'vitest';
import { post, sendRaw, startEdge, until } from '../test/edge.js';
import type { ReadinessSource } from './readiness.js';

const service = () => new Service('demo').api('echo', { input: json(), output: json() }, (value) => value);

const source = (more: Partial<ReadinessSource>): ReadinessSource => ({
  isDraining: () => false,
  crashLooping: () => [],
  readiness: () => Promise.resolve({}),
  ...more,
});

describe('health', () => {
  test.each(['/livez', '/healthz', '/readyz'])('%s is 200 and a newline', async (path) => {
    const edge = await startEdge(service());
    const response = await fetch(edge.url + path);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toContain('text/plain');
    expect(await response.text()).toBe('\n');
  });

  test('readyz names the runners that are down', async () => {
    const readiness = () => Promise.resolve({ classifier: false, segmenter: true, matmul: false });
    const edge = await startEdge(service(), { readiness: source({ readiness }) });
    const response = await fetch(`${edge.url}/readyz`);
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('1');
    expect(await response.json()).toMatchObject({
      code: 'unavailable',
      detail: "runners 'classifier', 'matmul' are not ready",
      runners: { classifier: false, segmenter: true, matmul: false },
    });
    expect((await fetch(`${edge.url}/livez`)).status).toBe(200);
  });

  test('readyz of an API asks no more than the runners that it needs', async () => {
    class Model {
      static readonly methods = { ask: method() };
      ask(): null {
        return null;
      }
    }
    const up = createRunner(Model, { name: 'up' });
    const down = createRunner(Model, { name: 'down' });
    const io = { input: json(), output: json() };
    const demo = new Service('demo', { runners: [up, down] })
      .api('quick', { ...io, runners: [up] }, (value) => value)
      .api('slow', { ...io, runners: [down] }, (value) => value)
      .api('both', io, (value) => value);
    const readiness = () => Promise.resolve({ up: true, down: false });
    const edge = await startEdge(demo, { readiness: source({ readiness }) });
    const ask = (query: string) => fetch(`${edge.url}/readyz${query}`);
    expect((await ask('?api=quick')).status).toBe(200);
    for (const query of ['', '?api=slow', '?api=both', '?api=quick&api=slow']) {
      const response = await ask(query);
      expect([query, response.status]).toEqual([query, 503]);
      expect(await response.json()).toMatchObject({ detail: "runner 'down' is not ready" });
    }
    for (const query of ['?api=', '?api=other', '?api=quick&api=other']) {
      const response = await ask(query);
      expect([query, response.status]).toEqual([query, 404]);
      expect(await response.json()).toMatchObject({
        code: 'not_found',
        detail: expect.stringContaining('the service has: quick, slow, both'),
      });
    }
  });

  test('readyz names what crashes again and again; an API is not concerned by runners that it does not call', async () => {
    class Model {
      static readonly methods = { ask: method() };
      ask(): null {
        return null;
      }
    }
    const io = { input: json(), output: json() };
    const [used, unused] = [createRunner(Model, { name: 'used' }), createRunner(Model, { name: 'unused' })];
    const demo = new Service('demo', { runners: [used, unused] }).api(
      'one',
      { ...io, runners: [used] },
      (x) => x,
    );
    const looping: string[] = ['runner:unused'];
    const edge = await startEdge(demo, { readiness: source({ crashLooping: () => looping }) });
    const response = await fetch(`${edge.url}/readyz`);
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({
      detail: "workers of 'runner:unused' crash again and again: see the server's log",
      crashLooping: ['runner:unused'],
    });
    expect((await fetch(`${edge.url}/readyz?api=one`)).status).toBe(200);
    looping.push('http_api');
    expect((await fetch(`${edge.url}/readyz?api=one`)).status).toBe(503);
    expect((await fetch(`${edge.url}/livez`)).status).toBe(200);
  });

  test('readyz is 503, never 500, when asking the runners fails', async () => {
    const readiness = () => Promise.reject(new Error('socket gone'));
    const edge = await startEdge(service(), { readiness: source({ readiness }) });
    const response = await fetch(`${edge.url}/readyz`);
    expect(response.status).toBe(503);
    expect(await response.text()).not.toContain('socket gone');
  });

  test('readyz is 503 while the server stops, and livez is not', async () => {
    const edge = await startEdge(service(), { readiness: source({ isDraining: () => true }) });
    expect((await fetch(`${edge.url}/readyz`)).status).toBe(503);
    expect((await fetch(`${edge.url}/livez`)).status).toBe(200);
  });
});

describe('metrics', () => {
  test('are Prometheus text', async () => {
    const edge = await startEdge(service());
    await post(`${edge.url}/echo`, 1);
    const response = await fetch(`${edge.url}/metrics`);
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(await response.text()).toMatch(/request_total\{endpoint="\/echo".*code="200"\} 1/);
  });

  test('have as many endpoints as there are routes, whatever clients ask for', async () => {
    const edge = await startEdge(service());
    const paths = ['/a', '/b', '/echo/', '/echo%20x', '/static_content/x', '/static_content/y', '/a/b?c'];
    for (const path of paths) expect((await fetch(edge.url + path)).status).toBe(404);
    expect((await fetch(`${edge.url}/echo`)).status).toBe(405);
    await until(async () => (await edge.metricsText()).includes('code="405"} 1'));
    const text = await edge.metricsText();
    const endpoints = new Set([...text.matchAll(/endpoint="([^"]*)"/g)].map((match) => match[1]));
    expect([...endpoints].sort()).toEqual(['/echo', '/static_content/:name', 'unknown']);
  });

  test('that are off are not served', async () => {
    const edge = await startEdge(service(), { metrics: undefined });
    expect((await fetch(`${edge.url}/metrics`)).status).toBe(404);
    expect((await post(`${edge.url}/echo`, 1)).status).toBe(200);
  });
});

describe('an unknown path', () => {
  test.each([
    '/nope',
    '//x',
    '//echo',
    '/echo/',
    '/static_content/../package.json',
    '/static_content/%2e%2e%2fx',
  ])('%s is a 404 as problem+json', async (path) => {
    const edge = await startEdge(service());
    const answer = await sendRaw(edge.port, `POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1.1 404 /);
    expect(answer).toContain('content-type: application/problem+json');
    expect(answer).toContain('"code":"not_found"');
  });
});

test('a bad body for an unknown path is still a 404', async () => {
  const edge = await startEdge(service());
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${edge.url}/nope`, { method: 'POST', body: '{oops', headers });
  expect(response.status).toBe(404);
});

describe('a wrong method', () => {
  test.each([
    ['GET', '/echo', 'POST'],
    ['DELETE', '/echo', 'POST'],
    ['PROPFIND', '/echo', 'POST'],
    ['POST', '/livez', 'GET, HEAD'],
    ['PUT', '/', 'GET, HEAD'],
  ])('%s %s is a 405 that says which are right', async (method, path, allow) => {
    const edge = await startEdge(service());
    const response = await fetch(edge.url + path, { method });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe(allow);
    expect(await response.json()).toMatchObject({ code: 'method_not_allowed', status: 405 });
  });
});

describe('what is no HTTP', () => {
  test('is a 400 as problem+json, and the connection ends', async () => {
    const edge = await startEdge(service());
    const answer = await sendRaw(edge.port, 'hello there\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1.1 400 Bad Request\r\n/);
    expect(JSON.parse(answer.split('\r\n\r\n')[1] ?? '')).toMatchObject({
      status: 400,
      title: 'Bad Request',
    });
  });

  test('for its long headers is a 431', async () => {
    const edge = await startEdge(service());
    const headers = `X-Long: ${'x'.repeat(20_000)}`;
    const answer = await sendRaw(edge.port, `GET /livez HTTP/1.1\r\nHost: x\r\n${headers}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1.1 431 Request Header Fields Too Large\r\n/);
    expect(JSON.parse(answer.split('\r\n\r\n')[1] ?? '')).toMatchObject({ status: 431 });
  });

  test('for its malformed path is a 400', async () => {
    const edge = await startEdge(service());
    const answer = await sendRaw(edge.port, 'GET /%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1.1 400 /);
    expect(answer).toContain('application/problem+json');
    await until(async () => /endpoint="unknown".*code="400"\} 1/.test(await edge.metricsText()));
  });
});

describe('the access log', () => {
  test('has one line for each exchange, as the reference writes it', async () => {
    const edge = await startEdge(service());
    await (await post(`${edge.url}/echo?secret=1`, { a: 1 })).text();
    await (await fetch(`${edge.url}/nope`)).text();
    await until(() => edge.lines.length === 2);
    expect(edge.lines[0]).toMatch(
      /\[INFO\] \[api_server:test:1\] 127\.0\.0\.1:\d+ \(scheme=http,method=POST,path=\/echo,type=application\/json,length=7\) \(status=200,type=application\/json[^,]*,length=7\) \d+\.\d{3}ms \(trace=[0-9a-f]{32},span=[0-9a-f]{16},sampled=0,service\.name=demo\)\n$/,
    );
    expect(edge.lines[1]).toContain('path=/nope');
    expect(edge.lines[1]).toContain('(status=404,type=application/problem+json');
  });

  test('that is off says nothing', async () => {
    const edge = await startEdge(service(), { access: false });
    await (await post(`${edge.url}/echo`, {})).text();
    await until(async () => (await edge.metricsText()).includes('code="200"} 1'));
    expect(edge.lines).toEqual([]);
  });
});
