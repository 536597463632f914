import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { RecordingHandle } from '../test/recording-handle.js';
import { type CallContext, type CallWatch, runInCallContext } from './call-context.js';
import { BoundMethod, type MethodTarget } from './runner-method.js';

function bound(timeoutMs?: number): { handle: RecordingHandle; method: BoundMethod } {
  const handle = new RecordingHandle();
  const target: MethodTarget = { name: 'classifier', timeoutMs, handle: () => handle };
  return { handle, method: new BoundMethod(target, 'predict', false) };
}

function context(facts: Partial<CallContext> = {}): CallContext {
  return { signal: new AbortController().signal, deadline: undefined, traceparent: undefined, ...facts };
}

test('a call outside of any request has neither deadline nor signal nor trace', async () => {
  const { handle, method } = bound();
  await method.run(1);
  expect(handle.last?.options).toEqual({
    signal: undefined,
    deadline: undefined,
    traceparent: undefined,
    idempotent: false,
  });
});

test('a call inside a request inherits its deadline, signal and trace, also after awaiting', async () => {
  const { handle, method } = bound();
  const request = context({ deadline: Date.now() + 5000, traceparent: '00-a-b-01' });
  await runInCallContext(request, async () => {
    await setImmediate();
    await method.run(1);
  });
  expect(handle.last?.options).toEqual({ ...request, idempotent: false });
  expect(handle.last?.options.signal).toBe(request.signal);
});

test('requests side by side keep their own contexts', async () => {
  const first = bound();
  const second = bound();
  const call = ({ method }: { method: BoundMethod }, traceparent: string): Promise<unknown> =>
    runInCallContext(context({ traceparent }), () => setImmediate().then(() => method.run()));
  await Promise.all([call(first, 'one'), call(second, 'two')]);
  expect(first.handle.last?.options.traceparent).toBe('one');
  expect(second.handle.last?.options.traceparent).toBe('two');
});

test.each([
  ['the call', { request: 9000, call: 1000, runner: 5000 }, 1000],
  ['the runner', { request: 9000, call: 7000, runner: 2000 }, 2000],
  ['the request', { request: 500, call: 1000, runner: 2000 }, 500],
  ['the runner, when nothing else says one', { runner: 3000 }, 3000],
  ['the call, when nothing else says one', { call: 4000 }, 4000],
])('the shortest time counts: that of %s', async (_, times: Times, expectedMs) => {
  const { handle, method } = bound(times.runner);
  const now = Date.now();
  const deadline = times.request === undefined ? undefined : now + times.request;
  await runInCallContext(context({ deadline }), () => method.with({ timeoutMs: times.call }).run());
  const got = (handle.last?.options.deadline ?? 0) - now;
  expect(got).toBeGreaterThanOrEqual(expectedMs);
  expect(got).toBeLessThan(expectedMs + 400);
});

interface Times {
  readonly request?: number;
  readonly call?: number;
  readonly runner?: number;
}

test('either signal aborts the call', async () => {
  for (const which of ['request', 'call'] as const) {
    const { handle, method } = bound();
    const abort = { request: new AbortController(), call: new AbortController() };
    await runInCallContext(context({ signal: abort.request.signal }), () =>
      method.with({ signal: abort.call.signal }).stream('x')[Symbol.asyncIterator]().next(),
    );
    expect(handle.last?.options.signal?.aborted).toBe(false);
    abort[which].abort();
    expect(handle.last?.options.signal?.aborted).toBe(true);
  }
});

test('options add up, and leave the method that they were asked of as it was', async () => {
  const { handle, method } = bound();
  const { signal } = new AbortController();
  const patient = method.with({ timeoutMs: 10_000 });
  await patient.with({ timeoutMs: 60_000, signal }).run();
  expect(handle.last?.options.deadline).toBeLessThan(Date.now() + 10_001);
  expect(handle.last?.options.signal).toBe(signal);
  await method.run();
  expect(handle.last?.options).toMatchObject({ deadline: undefined, signal: undefined });
});

test('an idempotent method says so with each call', async () => {
  const handle = new RecordingHandle();
  await new BoundMethod({ name: 'reader', handle: () => handle }, 'read', true).with({ timeoutMs: 9 }).run();
  expect(handle.last?.options.idempotent).toBe(true);
});

test('the priority of the request goes along with its calls and streams', async () => {
  const { handle, method } = bound();
  await runInCallContext(context({ priority: 'low' }), () => method.run(1));
  expect(handle.last?.options.priority).toBe('low');
  await runInCallContext(context({ priority: 'high' }), () =>
    method.stream(1)[Symbol.asyncIterator]().next(),
  );
  expect(handle.last?.options.priority).toBe('high');
});

describe('who observes the calls of a request', () => {
  const timing = { queueMs: 1, batchMs: 2, inferMs: 3, batchRows: 4 };

  function observed(): { told: unknown[]; request: CallContext } {
    const told: unknown[] = [];
    const begin = (...names: string[]): CallWatch => {
      told.push(names);
      return { timed: (facts) => told.push(facts), ended: () => told.push('ended') };
    };
    return { told, request: context({ observer: { begin } }) };
  }

  test('hears of each call by the names of runner and method, what the runner did, and the end', async () => {
    const { handle, method } = bound();
    const { told, request } = observed();
    const answer = runInCallContext(request, () => method.run(1));
    handle.last?.options.onTiming?.(timing);
    expect(told).toEqual([['classifier', 'predict'], timing]);
    await answer;
    expect(told.at(-1)).toBe('ended');
  });

  test('hears of the end of a call that fails, and nobody else does', async () => {
    const handle = new RecordingHandle();
    handle.run = () => Promise.reject(new Error('no'));
    const { told, request } = observed();
    const method = new BoundMethod({ name: 'classifier', handle: () => handle }, 'predict', false);
    await expect(runInCallContext(request, () => method.run(1))).rejects.toThrow('no');
    expect(told).toEqual([['classifier', 'predict'], 'ended']);
  });

  test('hears nothing of streams, and runners are not asked for their timing', async () => {
    const { handle, method } = bound();
    const { told, request } = observed();
    await runInCallContext(request, () => method.stream(1)[Symbol.asyncIterator]().next());
    expect(told).toEqual([]);
    expect(handle.last?.options.onTiming).toBeUndefined();
  });
});
