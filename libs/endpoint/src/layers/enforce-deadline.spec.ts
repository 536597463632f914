import { getEventListeners } from 'node:events';
import { ServeError } from '@bentots/errors';
import type { ApiContext } from '@bentots/service';
import { expect, test } from 'vitest';
import { createGate, createTestEndpoints, inbound, nextTurn } from '../../test/harness.js';

/** Timers that would keep this process waiting. */
function countTimers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
}

test('a call whose time is over is answered, although its function does not listen', async () => {
  const gate = createGate<string>();
  const contexts: ApiContext[] = [];
  const api = createTestEndpoints(
    {
      wait: (_input, context) => {
        contexts.push(context);
        return gate.wait();
      },
    },
    { timeoutMs: 20 },
  )('wait');
  const failure = await api.invoke(inbound()).catch((error: unknown) => error);
  expect(failure).toMatchObject({
    code: 'deadline_exceeded',
    message: "API 'wait' did not finish within 20 ms, the limit of the server",
    details: { api: 'wait', timeoutMs: 20, limit: 'server' },
  });
  expect(contexts[0]?.signal.aborted).toBe(true);
  expect(contexts[0]?.signal.reason).toBe(failure);
});

test.each([
  [{ server: 10, api: 5_000, client: 6_000 }, 'server', 10],
  [{ server: 5_000, api: 10, client: 6_000 }, 'api', 10],
  [{ server: 5_000, api: 6_000, client: 10 }, 'client', 10],
  [{ server: Infinity, api: undefined, client: 10 }, 'client', 10],
])('the shortest limit wins: %j', async ({ server, api, client }, limit, timeoutMs) => {
  const gate = createGate();
  const fn = gate.wait;
  const endpoint = createTestEndpoints(
    { wait: api === undefined ? fn : { fn, timeoutMs: api } },
    { timeoutMs: server },
  )('wait');
  await expect(endpoint.invoke(inbound({ timeoutMs: client }))).rejects.toMatchObject({
    code: 'deadline_exceeded',
    details: { limit, timeoutMs },
  });
});

test.each([0, -5])('a client whose %d ms are over already gets no work done', async (timeoutMs) => {
  const ran: string[] = [];
  const api = createTestEndpoints({ run: () => void ran.push('function') })('run');
  const call = inbound({ timeoutMs, decode: () => void ran.push('decode') });
  await expect(api.invoke(call)).rejects.toMatchObject({ code: 'deadline_exceeded' });
  expect(ran).toEqual([]);
});

test('a function that kept the event loop past the deadline is too late', async () => {
  const encoded: unknown[] = [];
  const api = createTestEndpoints({
    block: () => {
      const end = performance.now() + 30;
      while (performance.now() < end);
      return 'late';
    },
  })('block');
  const call = inbound({ timeoutMs: 10, encode: (_output, value) => void encoded.push(value) });
  await expect(api.invoke(call)).rejects.toMatchObject({ code: 'deadline_exceeded' });
  expect(encoded).toEqual([]);
});

test('a client that goes away ends the call as cancelled and aborts its signal', async () => {
  const client = new AbortController();
  const gate = createGate();
  const contexts: ApiContext[] = [];
  const api = createTestEndpoints({
    wait: (_input, context) => {
      contexts.push(context);
      return gate.wait();
    },
  })('wait');
  const call = api.invoke(inbound({ signal: client.signal }));
  await gate.reached;
  const listened = contexts[0]?.signal;
  client.abort();
  await expect(call).rejects.toMatchObject({ code: 'cancelled' });
  expect(listened?.reason).toMatchObject({ code: 'cancelled' });
  expect(contexts[0]?.signal).toBe(listened);
});

test('a ServeError as the reason of the client signal is what the call rejects with', async () => {
  const client = new AbortController();
  const stopping = new ServeError('unavailable', 'the server is stopping');
  const gate = createGate();
  const call = createTestEndpoints({ wait: gate.wait })('wait').invoke(inbound({ signal: client.signal }));
  await nextTurn();
  client.abort(stopping);
  await expect(call).rejects.toBe(stopping);
});

test('a client that left before the call began gets no work done', async () => {
  const ran: string[] = [];
  const api = createTestEndpoints({ run: () => void ran.push('function') })('run');
  await expect(api.invoke(inbound({ signal: AbortSignal.abort() }))).rejects.toMatchObject({
    code: 'cancelled',
  });
  expect(ran).toEqual([]);
});

test('a client that leaves while its request is decoded does not reach the function', async () => {
  const client = new AbortController();
  const gate = createGate();
  const ran: string[] = [];
  const api = createTestEndpoints({ run: () => void ran.push('function') })('run');
  const call = api.invoke(inbound({ signal: client.signal, decode: gate.wait }));
  await nextTurn();
  client.abort();
  await expect(call).rejects.toMatchObject({ code: 'cancelled' });
  gate.open(undefined);
  await nextTurn();
  expect(ran).toEqual([]);
});

test('work that ends after its answer neither encodes nor fails the process', async () => {
  const client = new AbortController();
  const encoded: unknown[] = [];
  const [late, broken] = [createGate(), createGate()];
  const api = createTestEndpoints({ late: late.wait, broken: broken.wait });
  const encode = (_output: unknown, value: unknown): void => void encoded.push(value);
  const calls = ['late', 'broken'].map((name) =>
    api(name).invoke(inbound({ signal: client.signal, encode })),
  );
  await nextTurn();
  client.abort();
  for (const call of calls) await expect(call).rejects.toMatchObject({ code: 'cancelled' });
  late.open('value');
  broken.fail(new Error('too late to matter'));
  await nextTurn();
  expect(encoded).toEqual([]);
});

test('no timer or listener outlives its call, however it ends', async () => {
  // Many calls, as the test runner has timers of its own.
  const timers = countTimers();
  const client = new AbortController();
  const [good, bad] = [createGate(), createGate()];
  const api = createTestEndpoints({ good: good.wait, bad: bad.wait }, { timeoutMs: 60_000 });
  const calls = ['good', 'bad'].flatMap((name) =>
    Array.from({ length: 50 }, () => api(name).invoke(inbound({ signal: client.signal }))),
  );
  const expired = api('good').invoke(inbound({ signal: client.signal, timeoutMs: 1 }));
  await expect(expired).rejects.toMatchObject({ code: 'deadline_exceeded' });
  expect(getEventListeners(client.signal, 'abort')).toHaveLength(100);
  expect(countTimers()).toBeGreaterThanOrEqual(timers + 90);
  good.open(1);
  bad.fail(new Error('no'));
  await Promise.allSettled(calls);
  expect(getEventListeners(client.signal, 'abort')).toEqual([]);
  expect(countTimers()).toBeLessThan(timers + 10);
});

test('a limit longer than a timer can be does not end the call', async () => {
  const gate = createGate<string>();
  const api = createTestEndpoints({ wait: gate.wait }, { timeoutMs: 2 ** 40 })('wait');
  const call = api.invoke(inbound());
  await nextTurn();
  // A timer with too long a delay fires after 1 ms, before this one.
  await new Promise((resolve) => setTimeout(resolve, 5));
  gate.open('done');
  expect(await call).toMatchObject({ result: 'done' });
});
