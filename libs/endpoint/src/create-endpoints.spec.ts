import { INTERNAL_MESSAGE, ServeError } from '@bentots/errors';
import { type ApiContext, Service, createRunner, json, method, text } from '@bentots/service';
import type { HandleCallOptions, IODescriptor } from '@bentots/service';
import { describe, expect, test } from 'vitest';
import { createTestEndpoints, inbound } from '../test/harness.js';
import { createEndpoints } from './create-endpoints.js';
import { RunnerCalls } from './runner-calls.js';

test('each API of the service has an endpoint that decodes, calls and encodes by its descriptors', async () => {
  const input = json<number[]>();
  const output = text();
  const service = new Service('test')
    .api('joined', { input, output }, (numbers) => numbers.join('+'))
    .api('later', { input, output }, (numbers) => Promise.resolve(`${numbers.length} numbers`));
  const endpoints = createEndpoints({ service, timeoutMs: 1_000, state: {} });
  expect([...endpoints.keys()]).toEqual(['joined', 'later']);
  const seen: IODescriptor<unknown>[] = [];
  const call = inbound({
    decode: (descriptor) => {
      seen.push(descriptor);
      return descriptor.decodeBody({ contentType: undefined, bytes: Buffer.from('[1,2]') });
    },
    encode: (descriptor, value) => {
      seen.push(descriptor);
      return descriptor.encodeBody(value);
    },
  });
  expect(await endpoints.get('joined')?.invoke(call)).toMatchObject({ result: { bytes: '1+2' } });
  expect(await endpoints.get('later')?.invoke(call)).toMatchObject({ result: { bytes: '2 numbers' } });
  expect(seen).toEqual([input, output, input, output]);
});

test('the function sees the request and the state of the worker', async () => {
  const contexts: ApiContext[] = [];
  const state = { model: 'loaded' };
  const api = createTestEndpoints(
    { see: (_input, context) => void contexts.push(context) },
    { state },
  )('see');
  const metadata = { 'x-user': 'ada' };
  await api.invoke(inbound({ protocol: 'grpc', requestId: 'r-7', metadata }));
  expect(contexts).toEqual([
    expect.objectContaining({
      apiName: 'see',
      requestId: 'r-7',
      protocol: 'grpc',
      request: { metadata },
      deadline: undefined,
    }),
  ]);
  expect(contexts[0]?.state).toBe(state);
  expect(contexts[0]?.signal.aborted).toBe(false);
});

test('status and metadata that the function sets go out with its result, for this call only', async () => {
  const api = createTestEndpoints({
    set: (input, { response }) => {
      if (input === 'plain') return 1;
      response.status = 201;
      response.metadata['x-model'] = 'v2';
      return 2;
    },
  })('set');
  expect(await api.invoke(inbound())).toEqual({
    result: 2,
    response: { status: 201, metadata: { 'x-model': 'v2' } },
  });
  expect(await api.invoke(inbound({ decode: () => 'plain' }))).toEqual({
    result: 1,
    response: { status: undefined, metadata: {} },
  });
});

test('whatever can be awaited is waited for, and what cannot runs before invoke returns', async () => {
  const steps: string[] = [];
  const query = { then: (resolve: (rows: string) => void) => resolve('rows') };
  const api = createTestEndpoints({ query: () => query, now: () => steps.push('ran') });
  const call = api('now').invoke(inbound());
  expect(steps).toEqual(['ran']);
  expect(await call).toMatchObject({ result: 1 });
  expect(await api('query').invoke(inbound())).toMatchObject({ result: 'rows' });
});

class Model {
  static readonly methods = { ask: method() };
  ask(): null {
    return null;
  }
}

/** A runner that notes how it is asked, and says what it did. */
function createAskedRunner() {
  const runner = createRunner(Model, { name: 'model' });
  const asked: HandleCallOptions[] = [];
  runner.definition.bind({
    run: async (_method, _args, options) => {
      asked.push(options);
      options.onTiming?.({ queueMs: 0, batchMs: 0, inferMs: 0, batchRows: 3 });
      return null;
    },
    stream: () => {
      throw new Error('not a stream');
    },
    isReady: () => Promise.resolve(true),
    close: () => Promise.resolve(),
  });
  return { runner, asked };
}

test('runner calls in the function inherit deadline, signal and trace, after an await too', async () => {
  const { runner, asked } = createAskedRunner();
  const seen: ApiContext[] = [];
  const api = createTestEndpoints(
    {
      ask: async (_input, context) => {
        seen.push(context);
        await runner.ask.run();
        await runner.ask.run();
      },
    },
    { timeoutMs: 5_000, runners: [runner] },
  )('ask');
  const before = Date.now();
  await api.invoke(inbound({ traceparent: '00-trace' }));
  expect(asked).toHaveLength(2);
  for (const options of asked) {
    expect(options).toMatchObject({ traceparent: '00-trace', deadline: seen[0]?.deadline });
    expect(options.signal).toBe(seen[0]?.signal);
    expect(options.deadline).toBeGreaterThanOrEqual(before + 5_000);
  }
});

test('runner calls have the priority of their API, the usual one where it has none', async () => {
  const { runner, asked } = createAskedRunner();
  const fn = (): Promise<unknown> => runner.ask.run();
  const api = createTestEndpoints({ usual: fn, last: { fn, priority: 'low' } }, { runners: [runner] });
  await api('usual').invoke(inbound());
  await api('last').invoke(inbound());
  expect(asked.map(({ priority }) => priority)).toEqual(['normal', 'low']);
});

test('what runner calls took is gathered for who asks, and runners are asked for it only then', async () => {
  const { runner, asked } = createAskedRunner();
  const api = createTestEndpoints({ ask: () => runner.ask.run() }, { runners: [runner] })('ask');
  const runnerCalls = new RunnerCalls();
  await api.invoke(inbound({ runnerCalls }));
  await api.invoke(inbound());
  expect(runnerCalls.shares()).toMatchObject({
    calls: 1,
    told: [{ runner: 'model', method: 'ask', timing: { batchRows: 3 } }],
  });
  expect(asked.map(({ onTiming }) => typeof onTiming)).toEqual(['function', 'undefined']);
});

describe('a failing call rejects with a ServeError', () => {
  const known = new ServeError('runner_failed', 'runner broke', {
    details: { runner: 'm', class: 'RangeError' },
  });
  const foreign = new TypeError('secret path /models/x');
  const abort = Object.assign(new Error('aborted'), { name: 'AbortError' });
  const api = createTestEndpoints({
    fail: (error) => {
      throw error;
    },
    failLater: (error) => Promise.reject(error),
  });

  test.each(['fail', 'failLater'])('%s: one that the function threw stays itself', async (name) => {
    await expect(api(name).invoke(inbound({ decode: () => known }))).rejects.toBe(known);
  });

  test.each([
    ['an error of its own', foreign],
    ['an abort of its own, which says nothing about the client', abort],
    ['no error at all', 'text'],
    ['nothing', undefined],
  ])('%s becomes internal, with fixed words and the original as cause', async (_what, thrown) => {
    for (const name of ['fail', 'failLater']) {
      const failure = await api(name)
        .invoke(inbound({ decode: () => thrown }))
        .catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: 'internal', message: INTERNAL_MESSAGE });
      expect(failure).toBeInstanceOf(ServeError);
      if (thrown !== undefined) expect(failure).toHaveProperty('cause', thrown);
    }
  });

  test('whether decoding, at once or later, or encoding failed', async () => {
    const invalid = new ServeError('invalid_argument', 'no JSON');
    const refuse = (): never => {
      throw invalid;
    };
    const endpoint = createTestEndpoints({ pass: () => 1 })('pass');
    await expect(endpoint.invoke(inbound({ decode: refuse }))).rejects.toBe(invalid);
    await expect(endpoint.invoke(inbound({ decode: () => Promise.reject(invalid) }))).rejects.toBe(invalid);
    await expect(endpoint.invoke(inbound({ encode: refuse }))).rejects.toBe(invalid);
    const odd = inbound({ encode: () => Promise.reject(foreign) });
    await expect(endpoint.invoke(odd)).rejects.toMatchObject({ code: 'internal', cause: foreign });
  });
});

test.each([{ timeoutMs: 0 }, { timeoutMs: NaN }, { maxConcurrency: 0 }, { maxConcurrency: -1 }])(
  'limits that let nothing through are refused: %j',
  (options) => {
    const [[name = '', value = 0] = []] = Object.entries(options);
    expect(() => createTestEndpoints({}, options)).toThrow(
      expect.objectContaining({
        code: 'invalid_option',
        message: `${name} is ${value}; expected a number above 0, or none`,
      }),
    );
  },
);
