import { ServeError } from '@bentots/errors';
import { type RunnerValue, Tensor } from '@bentots/service';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { runnerValue } from '../test/arbitrary-values.js';
import { createPair, errorOf, gate, until } from '../test/pair.js';
import type { IncomingCall } from './index.js';

describe.each(['unix', 'tcp'] as const)('over %s', (family) => {
  test('a call carries its facts there and its result back', async () => {
    const seen = gate<IncomingCall>();
    const { client } = await createPair({
      family,
      onCall: (call) => {
        seen.open(call);
        call.respond([call.args.length, call.args[1]]);
      },
    });
    const deadline = Date.now() + 60_000;
    const tensor = Tensor.from([[1, 2]]);
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const result = await client.call('classify', [1, tensor], { deadline, traceparent, idempotent: true });
    expect(result).toEqual([2, tensor]);
    const call = await seen.opened;
    expect(call).toMatchObject({
      method: 'classify',
      traceparent,
      idempotent: true,
      stream: false,
      settled: true,
    });
    expect(Math.abs((call.deadline ?? 0) - deadline)).toBeLessThan(1000);
  });

  test('hello says who serves', async () => {
    const { client } = await createPair({ family });
    expect(await client.hello).toEqual({
      runner: 'matmul',
      worker: 1,
      workers: 1,
      protocol: 1,
      methods: ['echo'],
    });
  });

  test('values of every kind cross unchanged, several at a time', async () => {
    const { client } = await createPair({ family, onCall: (call) => call.respond([...call.args]) });
    const check = fc.asyncProperty(
      fc.array(fc.array(runnerValue, { maxLength: 3 }), { maxLength: 5 }),
      async (calls) => {
        const results = await Promise.all(calls.map((args) => client.call('echo', args)));
        expect(results).toEqual(calls);
      },
    );
    await fc.assert(check, { seed: 3, numRuns: 60 });
  });

  test('bodies of many MiB cross both ways at once', async () => {
    const { client } = await createPair({ family });
    const bodies = [5, 3, 1].map((mib) => {
      const floats = new Float32Array((mib * 1024 * 1024) / 4).map((_, i) => i % 1000);
      return new Tensor('float32', floats, [floats.length]);
    });
    const results = await Promise.all(bodies.map((body) => client.call('echo', [body])));
    results.forEach((result, i) => {
      expect(
        result instanceof Tensor && Buffer.compare(result.bytes(), bodies[i]?.bytes() ?? Buffer.of()),
      ).toBe(0);
    });
  });
});

test('answers come back in any order', async () => {
  const calls: IncomingCall[] = [];
  const { client } = await createPair({ onCall: (call) => void calls.push(call) });
  const results = [1, 2, 3].map((value) => client.call('echo', [value]));
  await until(() => calls.length === 3);
  for (const call of calls.reverse()) call.respond(call.args[0]);
  expect(await Promise.all(results)).toEqual([1, 2, 3]);
});

test('calls of one turn of the event loop leave in one write, and so do their answers', async () => {
  const { client, server } = await createPair();
  await client.hello;
  const before = { client: client.counters.writes, server: server.counters.writes };
  await Promise.all([1, 2, 3, 4, 5].map((value) => client.call('echo', [value])));
  expect(client.counters.writes - before.client).toBe(1);
  expect(server.counters.writes - before.server).toBe(1);
});

describe('errors', () => {
  async function failWith(error: unknown): Promise<unknown> {
    const { client } = await createPair({ onCall: () => Promise.reject(error) });
    return errorOf(client.call('fail', []));
  }

  test('a method that throws is runner_failed with class and message', async () => {
    const error = await failWith(new RangeError('k is 9, expected at most 4'));
    expect(error).toMatchObject({
      code: 'runner_failed',
      message: "runner 'matmul' method 'fail' failed: RangeError: k is 9, expected at most 4",
      details: {
        runner: 'matmul',
        method: 'fail',
        class: 'RangeError',
        message: 'k is 9, expected at most 4',
      },
    });
  });

  test('a class of the author keeps its name, and a thrown text is one, too', async () => {
    class NoDigitError extends Error {}
    expect(await failWith(new NoDigitError('empty'))).toMatchObject({ details: { class: 'NoDigitError' } });
    expect(await failWith('oh')).toMatchObject({ details: { class: 'string', message: 'oh' } });
  });

  test('a ServeError keeps code, message and details', async () => {
    const error = await failWith(new ServeError('overloaded', 'queue is full', { details: { rows: 9 } }));
    expect(error).toMatchObject({ code: 'overloaded', message: 'queue is full', details: { rows: 9 } });
  });

  test('huge messages and details are cut rather than lost', async () => {
    const error = await failWith(
      new ServeError('internal', 'x'.repeat(3_000_000), { details: { big: 'y'.repeat(3e6) } }),
    );
    expect(error).toMatchObject({ code: 'internal', details: undefined });
    expect(error instanceof Error && error.message.length).toBe(32 * 1024);
  });

  test('a synchronous throw counts as well', async () => {
    const { client } = await createPair({
      onCall: () => {
        throw new TypeError('no');
      },
    });
    expect(await errorOf(client.call('fail', []))).toMatchObject({ details: { class: 'TypeError' } });
  });

  test('a result that cannot be sent fails the call, not the connection', async () => {
    const { client } = await createPair({
      onCall: (call) => call.respond(call.method === 'bad' ? (new Map() as unknown as RunnerValue) : 1),
    });
    expect(await errorOf(client.call('bad', []))).toMatchObject({
      code: 'runner_failed',
      message: expect.stringContaining('a value of class Map cannot cross'),
    });
    expect(await client.call('good', [])).toBe(1);
  });

  test('an argument that cannot be sent fails the call before it is sent', async () => {
    const { client } = await createPair({ client: { limits: { maxFrameBytes: 1000 } } });
    const bad = (() => 1) as unknown as RunnerValue;
    expect(await errorOf(client.call('echo', [bad]))).toMatchObject({ code: 'invalid_argument' });
    const big = new Uint8Array(20_000);
    expect(await errorOf(client.call('echo', [big]))).toMatchObject({ code: 'payload_too_large' });
    expect(await client.call('echo', ['fine'])).toBe('fine');
  });
});

describe('deadlines', () => {
  test('a call that is over is answered by the deadline on both sides', async () => {
    const seen = gate<IncomingCall>();
    const { client, server } = await createPair({ onCall: (call) => seen.open(call) });
    const error = await errorOf(client.call('slow', [], { deadline: Date.now() + 30 }));
    expect(error).toMatchObject({ code: 'deadline_exceeded' });
    const call = await seen.opened;
    await until(() => call.signal.aborted);
    expect(call.settled).toBe(true);
    expect([client.inFlight, server.inFlight]).toEqual([0, 0]);
  });

  test('a deadline that has passed sends nothing', async () => {
    const { client, server } = await createPair();
    const error = await errorOf(client.call('echo', [], { deadline: Date.now() - 1 }));
    expect(error).toMatchObject({ code: 'deadline_exceeded' });
    await client.call('echo', []);
    expect(server.counters.calls).toBe(1);
  });

  test('a later deadline does not end with an earlier one', async () => {
    const held: IncomingCall[] = [];
    const { client } = await createPair({ onCall: (call) => void held.push(call) });
    const patient = client.call('slow', [2], { deadline: Date.now() + 60_000 });
    await errorOf(client.call('slow', [1], { deadline: Date.now() + 20 }));
    held[0]?.respond('in time');
    expect(await patient).toBe('in time');
  });
});

describe('cancellation', () => {
  test('reaches the runner at once, and the late answer hurts nobody', async () => {
    const seen = gate<IncomingCall>();
    const { client, server } = await createPair({
      onCall: (call) => (call.method === 'slow' ? seen.open(call) : call.respond('ok')),
    });
    const controller = new AbortController();
    const cancelled = errorOf(client.call('slow', [], { signal: controller.signal }));
    const call = await seen.opened;
    controller.abort();
    expect(await cancelled).toMatchObject({ code: 'cancelled' });
    await until(() => call.signal.aborted);
    expect(call.signal.reason).toMatchObject({ code: 'cancelled' });
    call.respond('too late');
    expect(await client.call('echo', [])).toBe('ok');
    expect([client.inFlight, server.inFlight, server.counters.cancelled]).toEqual([0, 0, 1]);
  });

  test('before sending sends nothing', async () => {
    const { client, server } = await createPair();
    expect(await errorOf(client.call('echo', [], { signal: AbortSignal.abort() }))).toMatchObject({
      code: 'cancelled',
    });
    await client.call('echo', []);
    expect(server.counters.calls).toBe(1);
  });

  test('by a ServeError keeps its code', async () => {
    const { client } = await createPair({ onCall: () => undefined });
    const controller = new AbortController();
    const failed = errorOf(client.call('slow', [], { signal: controller.signal }));
    controller.abort(new ServeError('deadline_exceeded', 'over'));
    expect(await failed).toMatchObject({ code: 'deadline_exceeded', message: 'over' });
  });
});
