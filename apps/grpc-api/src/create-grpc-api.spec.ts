import { type Metadata, status } from '@grpc/grpc-js';
import { ServeError } from '@bentots/errors';
import { type ApiContext, file, json, type JsonValue, Service, tensor, text } from '@bentots/service';
import { createApiMetrics, MergedMetrics, MetricsRegistry } from '@bentots/telemetry';
import { describe, expect, test } from 'vitest';
import { Gate, startApi } from '../test/start-api.js';
import { NDArray, NDArray_DType as Wire } from './wire/bentoml/grpc/v1/service.gen.js';

const NO_VALUES = NDArray.decode(new Uint8Array());

const service = new Service('shapes', { description: 'What the tests call.' })
  .api('echo', { input: json(), output: json(), description: 'Gives back what it gets.' }, (value) => value)
  .api('upper', { input: text(), output: text() }, (value) => value.toUpperCase())
  .api(
    'double',
    { input: tensor({ dtype: 'float64', shape: [-1, 2] }), output: tensor({ dtype: 'float64' }) },
    (value) => {
      value.data.forEach((item, index) => (value.data[index] = item * 2));
      return value;
    },
  )
  .api('copy', { input: file(), output: file() }, (value) => value)
  .api('about', { input: json(), output: json() }, (_, context) => about(context))
  .api('fail', { input: json<JsonValue>(), output: json() }, (code) => {
    if (code === 'plain') throw new Error('a secret');
    throw new ServeError('unprocessable', `the ünit '${String(code)}' is wrong`, { details: { unit: 'ü' } });
  })
  .api('large', { input: json<number>(), output: text() }, (size) => 'x'.repeat(size));

function about({ apiName, requestId, protocol, request, response, deadline }: ApiContext): JsonValue {
  response.metadata['x-answer'] = 'yes';
  response.metadata['Content-Type'] = 'a header that frames is not ours to set';
  return {
    apiName,
    requestId,
    protocol,
    metadata: { ...request.metadata },
    hasDeadline: deadline !== undefined,
  };
}

describe('Call', () => {
  test('carries JSON', async () => {
    const client = (await startApi(service)).client();
    const value = { list: [1, 2.5, null, true, { text: 'ü' }] };
    expect(await client.call('echo', { $case: 'json', value })).toEqual({ $case: 'json', value });
  });

  test('carries JSON as serialized bytes too', async () => {
    const client = (await startApi(service)).client();
    const value = Buffer.from('{"a":[1]}');
    const answer = await client.call('echo', { $case: 'serializedBytes', value });
    expect(answer).toEqual({ $case: 'json', value: { a: [1] } });
  });

  test('carries text', async () => {
    const client = (await startApi(service)).client();
    expect(await client.call('upper', { $case: 'text', value: 'grüße' })).toEqual({
      $case: 'text',
      value: 'GRÜSSE',
    });
  });

  test('carries tensors', async () => {
    const client = (await startApi(service)).client();
    const value = { ...NO_VALUES, dtype: Wire.DTYPE_DOUBLE, shape: [2, 2], doubleValues: [1, 2, 3, 4.5] };
    const answer = await client.call('double', { $case: 'ndarray', value });
    expect(answer).toEqual({ $case: 'ndarray', value: { ...value, doubleValues: [2, 4, 6, 9] } });
  });

  test('carries a tensor as raw bytes of the dtype and shape that the API declares', async () => {
    const client = (await startApi(service)).client();
    const value = Buffer.from(new Float64Array([1, 2, 3, 4]).buffer);
    const answer = await client.call('double', { $case: 'serializedBytes', value });
    expect(answer).toMatchObject({ value: { shape: [2, 2], doubleValues: [2, 4, 6, 8] } });
  });

  test('carries files with their media type', async () => {
    const client = (await startApi(service)).client();
    const value = { kind: 'image/png', content: Uint8Array.of(0, 255, 7) };
    const answer = await client.call('copy', { $case: 'file', value });
    expect(answer).toMatchObject({ $case: 'file', value: { kind: 'image/png' } });
    expect(answer?.$case === 'file' && [...answer.value.content]).toEqual([0, 255, 7]);
  });

  test('tells the API what the client said, and the client what the API said', async () => {
    const client = (await startApi(service)).client();
    const parent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const metadata = { traceparent: parent, 'x-color': 'red' };
    const { value, initial } = await client.exchange(
      'about',
      { $case: 'json', value: null },
      { metadata, deadline: Date.now() + 5000 },
    );
    expect(value.content?.value).toMatchObject({
      apiName: 'about',
      requestId: initial.get('x-bentoml-request-id')[0],
      protocol: 'grpc',
      metadata: { 'x-color': 'red' },
      hasDeadline: true,
    });
    expect(initial.get('x-answer')).toEqual(['yes']);
    expect(initial.get('x-bentoml-request-id')[0]).toMatch(/^[0-9a-f]{16}$/);
  });
});

describe('an error is the status of the table, its message, and its code', () => {
  test('the wrong content is INVALID_ARGUMENT that lists what the API accepts', async () => {
    const client = (await startApi(service)).client();
    await expect(client.call('upper', { $case: 'json', value: 'x' })).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: 'the request has its content in json; this API accepts text, serialized_bytes',
    });
  });

  test('no content, a malformed message, a shape that does not fit: INVALID_ARGUMENT', async () => {
    const client = (await startApi(service)).client();
    const wrong = { ...NO_VALUES, dtype: Wire.DTYPE_DOUBLE, shape: [3], doubleValues: [1, 2, 3] };
    for (const call of [
      client.call('echo', undefined),
      client.raw(Uint8Array.of(0x0a, 0x7f, 0x01)),
      client.call('double', { $case: 'ndarray', value: wrong }),
    ]) {
      await expect(call).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
    }
  });

  test('an unknown API is NOT_FOUND and names those there are', async () => {
    const client = (await startApi(service)).client();
    const call = client.call('nope', { $case: 'json', value: null });
    await expect(call).rejects.toMatchObject({
      code: status.NOT_FOUND,
      details: expect.stringContaining(`no API 'nope'; it has echo, upper, double`),
    });
  });

  test("the API's own error travels whole; its code and details are trailing metadata", async () => {
    const client = (await startApi(service)).client();
    const error = await client.call('fail', { $case: 'json', value: 'm' }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: status.FAILED_PRECONDITION, details: "the ünit 'm' is wrong" });
    const { metadata } = error as { metadata: Metadata };
    expect(metadata.get('bentots-error-code')).toEqual(['unprocessable']);
    expect(JSON.parse(String(metadata.get('bentots-error-details')[0]))).toEqual({ unit: 'ü' });
    expect(metadata.get('x-bentoml-request-id')[0]).toMatch(/^[0-9a-f]{16}$/);
  });

  test('any other error is INTERNAL and keeps its words to the server', async () => {
    const { client, ends } = await startApi(service);
    const call = client().call('fail', { $case: 'json', value: 'plain' });
    await expect(call).rejects.toMatchObject({
      code: status.INTERNAL,
      details: expect.not.stringContaining('secret'),
    });
    expect(ends[0]?.error?.cause).toMatchObject({ message: 'a secret' });
  });

  test('messages over the limit are RESOURCE_EXHAUSTED, in and out', async () => {
    const client = (await startApi(service, { maxMessageBytes: 1000 })).client();
    const limit = { code: status.RESOURCE_EXHAUSTED };
    await expect(client.call('upper', { $case: 'text', value: 'x'.repeat(2000) })).rejects.toMatchObject(
      limit,
    );
    await expect(client.call('large', { $case: 'json', value: 2000 })).rejects.toMatchObject({
      ...limit,
      details: expect.stringContaining("the answer of API 'large'"),
    });
  });
});

describe('time and cancellation', () => {
  function waiting(gate: Gate): { service: Service; signals: AbortSignal[] } {
    const signals: AbortSignal[] = [];
    const waiter = new Service('waiter').api(
      'wait',
      { input: json(), output: json() },
      async (value, context) => {
        signals.push(context.signal);
        await gate.pass();
        return value;
      },
    );
    return { service: waiter, signals };
  }

  const nothing = { $case: 'json', value: null } as const;

  test("the client's deadline ends the call, and aborts ctx.signal as deadline_exceeded", async () => {
    const gate = new Gate();
    const { service: waiter, signals } = waiting(gate);
    const { client, ends } = await startApi(waiter);
    const caller = client();
    // Connected, so that the call is with the server long before its deadline.
    await caller.check('');
    const call = caller.call('wait', nothing, { deadline: Date.now() + 1000 });
    await expect(call).rejects.toMatchObject({ code: status.DEADLINE_EXCEEDED });
    await expect.poll(() => ends[0]?.error?.code).toBe('deadline_exceeded');
    expect(signals[0]?.reason).toMatchObject({ code: 'deadline_exceeded' });
    gate.open();
  });

  test("the server's own limit ends the call too", async () => {
    const gate = new Gate();
    const { service: waiter } = waiting(gate);
    const { client } = await startApi(waiter, { timeoutMs: 50 });
    await expect(client().call('wait', nothing)).rejects.toMatchObject({
      code: status.DEADLINE_EXCEEDED,
      details: expect.stringContaining('50 ms, the limit of the server'),
    });
    gate.open();
  });

  test('a client that cancels aborts ctx.signal as cancelled', async () => {
    const gate = new Gate();
    const { service: waiter, signals } = waiting(gate);
    const { client, ends } = await startApi(waiter);
    const call = client().call('wait', nothing, {
      onCall: (running) => void gate.arrival().then(() => running.cancel()),
    });
    await expect(call).rejects.toMatchObject({ code: status.CANCELLED });
    await expect.poll(() => signals[0]?.aborted).toBe(true);
    expect(signals[0]?.reason).toMatchObject({ code: 'cancelled' });
    expect(ends[0]?.error?.code).toBe('cancelled');
    gate.open();
  });
});

test('metrics are recorded after the handler, with the true code and duration and bounded names', async () => {
  const gate = new Gate();
  const slow = new Service('measured', { version: '1' })
    .api('slow', { input: json(), output: json() }, async (value) => {
      await gate.pass();
      return value;
    })
    .api('fail', { input: json(), output: json() }, () => {
      throw new ServeError('unprocessable', 'no');
    });
  const registry = new MetricsRegistry();
  const metrics = createApiMetrics(registry, { service: 'measured', version: '1', label: 'api_name' });
  const client = (await startApi(slow, { metrics })).client();
  const merged = new MergedMetrics();
  const text = async (): Promise<string> => {
    merged.update('test', await registry.snapshot());
    return merged.text();
  };

  const call = client.call('slow', { $case: 'json', value: 1 });
  await gate.arrival();
  const labels = 'service_name="measured",service_version="1"';
  expect(await text()).toContain(`bentoml_api_server_request_in_progress{api_name="slow",${labels}} 1`);
  expect(await text()).not.toContain('bentoml_api_server_request_total{');
  const waitedMs = 60;
  setTimeout(() => gate.open(), waitedMs);
  await call;
  await client.call('fail', { $case: 'json', value: 1 }).catch(() => undefined);
  await client.call('made-up-1', { $case: 'json', value: 1 }).catch(() => undefined);
  await client.call('made-up-2', { $case: 'json', value: 1 }).catch(() => undefined);

  const after = await text();
  const total = (api: string, code: number): string =>
    `bentoml_api_server_request_total{api_name="${api}",${labels},http_response_code="${code}"}`;
  expect(after).toContain(`${total('slow', 200)} 1`);
  expect(after).toContain(`${total('fail', 422)} 1`);
  expect(after).toContain(`${total('unknown', 404)} 2`);
  expect(after).not.toContain('made-up');
  const sum = /duration_seconds_sum\{api_name="slow"[^}]*\} (\S+)/.exec(after)?.[1];
  expect(Number(sum)).toBeGreaterThanOrEqual((waitedMs - 2) / 1000);
});

test('ServiceMetadata tells a client all it needs to call each API', async () => {
  const client = (await startApi(service)).client();
  const { name, docs, apis } = await client.serviceMetadata();
  expect([name, docs]).toEqual(['shapes', 'What the tests call.']);
  expect(apis.map((api) => api.name)).toEqual([...service.apis.keys()]);
  expect(apis[0]).toMatchObject({
    docs: 'Gives back what it gets.',
    input: { descriptorId: 'bentoml.io.JSON' },
  });
  expect(apis[1]).toEqual({
    name: 'upper',
    docs: undefined,
    input: { descriptorId: 'bentoml.io.Text', attributes: {} },
    output: { descriptorId: 'bentoml.io.Text', attributes: {} },
  });
  expect(apis[2]?.input).toEqual({
    descriptorId: 'bentoml.io.NumpyNdarray',
    attributes: { args: { dtype: 'float64', shape: [-1, 2], enforce_dtype: false, enforce_shape: false } },
  });
});
