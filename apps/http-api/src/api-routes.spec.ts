import { ServeError } from '@bentots/errors';
import { file, FileValue, json, multipart, Service, text } from '@bentots/service';
import { describe, expect, test } from 'vitest';
import { createGate, post, sendRaw, startEdge, until } from '../test/edge.js';

const echo = () => new Service('demo').api('echo', { input: json(), output: json() }, (value) => value);

describe('an API route', () => {
  test('answers what the function returns, by the output descriptor', async () => {
    const edge = await startEdge(echo());
    const response = await post(`${edge.url}/echo`, { data: [1, 2] });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toContain('application/json');
    expect(response.headers.get('x-bentoml-request-id')).toMatch(/^[0-9a-f]{16}$/);
    expect(await response.json()).toEqual({ data: [1, 2] });
  });

  test('reads the body whatever its content type, also none', async () => {
    const edge = await startEdge(echo());
    for (const type of ['application/json', 'text/plain', 'application/x-www-form-urlencoded', 'x/y']) {
      const response = await post(`${edge.url}/echo`, [1], { 'content-type': type });
      expect([type, await response.json()]).toEqual([type, [1]]);
    }
    const request = 'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: close\r\n\r\n[7]';
    expect(await sendRaw(edge.port, request)).toMatch(/^HTTP\/1.1 200 OK[^]*\[7\]$/);
  });

  test('reads a form and answers one', async () => {
    const fields = { name: text(), page: file() };
    const service = new Service('demo').api(
      'sign',
      { input: multipart({ fields }), output: multipart({ fields }) },
      ({ name, page }) => ({ name: `signed ${name}`, page: new FileValue(page.bytes, { name: page.name }) }),
    );
    const edge = await startEdge(service);
    const form = new FormData();
    form.append('page', new File(['words'], 'page.txt'));
    form.append('name', 'Ada');
    const response = await fetch(`${edge.url}/sign`, { method: 'POST', body: form });
    const answer = await response.formData();
    expect(answer.get('name')).toBe('signed Ada');
    expect(answer.get('page')).toMatchObject({ name: 'page.txt', size: 5 });
    const wrong = await post(`${edge.url}/sign`, { name: 'Ada' });
    expect(wrong.status).toBe(415);
    form.delete('page');
    const incomplete = await fetch(`${edge.url}/sign`, { method: 'POST', body: form });
    expect(incomplete.status).toBe(400);
    expect(await incomplete.json()).toMatchObject({ code: 'invalid_argument', field: 'page' });
  });

  test('has the path that its API names, slashes and all', async () => {
    const options = { input: text(), output: text(), route: '/v1/say/it' };
    const edge = await startEdge(new Service('demo').api('say', options, (words) => words.toUpperCase()));
    const response = await fetch(`${edge.url}/v1/say/it?x=1`, { method: 'POST', body: 'hello' });
    expect(await response.text()).toBe('HELLO');
    expect((await fetch(`${edge.url}/say`, { method: 'POST', body: 'hello' })).status).toBe(404);
  });

  test('sends the status and headers that the function chose, but not framing', async () => {
    const service = new Service('demo').api('make', { input: json(), output: json() }, (_, context) => {
      context.response.status = 201;
      context.response.metadata['x-model'] = 'tiny';
      context.response.metadata['Content-Length'] = '1';
      return { got: context.request.metadata['x-asked'] ?? null };
    });
    const edge = await startEdge(service);
    const response = await post(`${edge.url}/make`, {}, { 'x-asked': 'yes' });
    expect(response.status).toBe(201);
    expect(response.headers.get('x-model')).toBe('tiny');
    expect(await response.json()).toEqual({ got: 'yes' });
  });

  test('answers 500 for a header or status that HTTP does not allow', async () => {
    const service = new Service('demo').api('make', { input: json(), output: json() }, (what, context) => {
      if (what === 'status') context.response.status = 9000;
      else context.response.metadata['x-model'] = 'a\nb';
      return {};
    });
    const edge = await startEdge(service);
    for (const what of ['status', 'header']) {
      const response = await post(`${edge.url}/make`, what);
      expect([what, response.status]).toEqual([what, 500]);
      expect(await response.json()).toMatchObject({ code: 'internal' });
    }
  });
});

describe('an error', () => {
  test('of the input is a 400 that says what was wrong', async () => {
    const edge = await startEdge(echo());
    const response = await fetch(`${edge.url}/echo`, { method: 'POST', body: '{oops' });
    expect(response.status).toBe(400);
    expect(response.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    expect(await response.json()).toMatchObject({
      type: 'about:blank',
      title: 'Bad Request',
      status: 400,
      code: 'invalid_argument',
      detail: expect.any(String),
    });
  });

  test('that the service throws is sent with code, message and details', async () => {
    const service = new Service('demo').api('no', { input: json(), output: json() }, () => {
      throw new ServeError('unprocessable', 'picture has no digits', { details: { found: 0, status: 1 } });
    });
    const response = await post(`${(await startEdge(service)).url}/no`, {});
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({
      status: 422,
      code: 'unprocessable',
      detail: 'picture has no digits',
      found: 0,
    });
  });

  test('of a runner says which runner, class and message', async () => {
    const service = new Service('demo').api('no', { input: json(), output: json() }, () => {
      const details = { runner: 'matmul', class: 'RangeError' };
      throw new ServeError('runner_failed', "runner 'matmul' failed: RangeError: too big", { details });
    });
    const edge = await startEdge(service);
    const body = await (await post(`${edge.url}/no`, {})).json();
    expect(body).toMatchObject({ code: 'runner_failed', runner: 'matmul', class: 'RangeError' });
    expect(body).toHaveProperty('detail', expect.stringContaining('too big'));
  });

  test('nobody expected shows a fixed text outside, and its stack in the log', async () => {
    const service = new Service('demo').api('no', { input: json(), output: json() }, () => {
      throw new TypeError('password is hunter2');
    });
    const edge = await startEdge(service);
    const response = await post(`${edge.url}/no`, {});
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('hunter2');
    const line = edge.lines.find((text) => text.includes('[ERROR]'));
    expect(line).toContain('TypeError: password is hunter2');
    expect(line).toContain('api-routes.spec.ts');
    expect(line).toContain('(trace=');
  });

  test.each([
    ['overloaded', 503, { retryAfterMs: 2500 }, '3'],
    ['unavailable', 503, {}, '1'],
    ['too_many_requests', 429, { retryAfterMs: 10 }, '1'],
    ['overloaded', 503, { retryAfterMs: Number.NaN }, '1'],
  ] as const)('%s is a %i that says when to try again', async (code, status, details, seconds) => {
    const service = new Service('demo').api('no', { input: json(), output: json() }, () => {
      throw new ServeError(code, 'not now', { details });
    });
    const response = await post(`${(await startEdge(service)).url}/no`, {});
    expect(response.status).toBe(status);
    expect(response.headers.get('retry-after')).toBe(seconds);
    // The header has whole seconds only; `null` is how JSON says that a number is none.
    expect(await response.json()).toMatchObject(JSON.parse(JSON.stringify(details)));
  });

  test('with details that are no JSON keeps the rest', async () => {
    const service = new Service('demo').api('no', { input: json(), output: json() }, () => {
      throw new ServeError('unprocessable', 'too big', { details: { size: 1n } });
    });
    const response = await post(`${(await startEdge(service)).url}/no`, {});
    expect(await response.json()).toMatchObject({ status: 422, detail: 'too big' });
  });
});

describe('limits', () => {
  test('of concurrency refuse with 429 what is over', async () => {
    const gate = createGate();
    const entered = createGate();
    const service = new Service('demo').api('wait', { input: json(), output: json() }, async () => {
      entered.open();
      await gate.opened;
      return 1;
    });
    const edge = await startEdge(service, { maxConcurrency: 1 });
    const first = post(`${edge.url}/wait`, {});
    await entered.opened;
    const second = await post(`${edge.url}/wait`, {});
    expect(second.status).toBe(429);
    expect(second.headers.get('retry-after')).toBe('1');
    expect((await fetch(`${edge.url}/livez`)).status).toBe(200);
    gate.open();
    expect((await first).status).toBe(200);
  });

  test('of time answer 504 and abort the function’s signal', async () => {
    const aborted = createGate<unknown>();
    const service = new Service('demo').api('wait', { input: json(), output: json() }, (_, { signal }) => {
      signal.addEventListener('abort', () => aborted.open(signal.reason));
      return new Promise<never>(() => undefined);
    });
    const edge = await startEdge(service, { timeoutMs: 30 });
    const response = await post(`${edge.url}/wait`, {});
    expect(response.status).toBe(504);
    expect(await response.json()).toMatchObject({ code: 'deadline_exceeded' });
    expect(await aborted.opened).toMatchObject({ code: 'deadline_exceeded' });
  });

  test.each(['0.03', '30ms', ' 0.03s '])('of time can be shortened by the client: %s', async (value) => {
    const service = new Service('demo').api('wait', { input: json(), output: json() }, () => {
      return new Promise<never>(() => undefined);
    });
    const edge = await startEdge(service);
    expect((await post(`${edge.url}/wait`, {}, { 'x-request-timeout': value })).status).toBe(504);
  });

  test.each(['0', '-1', 'soon', '1 s', '1e3', ''])(
    'of time that make no sense are refused: %j',
    async (value) => {
      const edge = await startEdge(echo());
      const response = await post(`${edge.url}/echo`, {}, { 'x-request-timeout': value });
      expect(response.status).toBe(400);
      expect(await response.json()).toHaveProperty('detail', expect.stringContaining('x-request-timeout'));
    },
  );
});

test('a client that hangs up aborts the function’s signal, and is counted as 499', async () => {
  const entered = createGate();
  const aborted = createGate<unknown>();
  const service = new Service('demo').api('wait', { input: json(), output: json() }, (_, { signal }) => {
    signal.addEventListener('abort', () => aborted.open(signal.reason));
    entered.open();
    return new Promise<never>(() => undefined);
  });
  const edge = await startEdge(service);
  const client = new AbortController();
  const call = fetch(`${edge.url}/wait`, { method: 'POST', body: '{}', signal: client.signal });
  await entered.opened;
  client.abort();
  await expect(call).rejects.toThrow();
  expect(await aborted.opened).toMatchObject({ code: 'cancelled' });
  await until(async () => (await edge.metricsText()).includes('http_response_code="499"} 1'));
  expect(await edge.metricsText()).toMatch(/in_progress\{endpoint="\/wait".*\} 0/);
  expect(edge.lines.join('')).toContain('(status=499');
});

test('a client’s trace goes on in the call, with a span of its own', async () => {
  const seen: string[] = [];
  const service = new Service('demo').api('who', { input: json(), output: json() }, (_, context) => {
    seen.push(context.requestId);
    return {};
  });
  const edge = await startEdge(service);
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
  const traceparent = `00-${traceId}-00f067aa0ba902b7-01`;
  const response = await post(`${edge.url}/who`, {}, { traceparent });
  expect(response.headers.get('x-bentoml-request-id')).toBe(seen[0]);
  expect(seen[0]).not.toBe('00f067aa0ba902b7');
  await until(() => edge.lines.length === 1);
  expect(edge.lines[0]).toContain(`(trace=${traceId},span=${seen[0]},sampled=1,service.name=demo)`);
});
