import { createServer } from 'node:net';
import { Tensor } from '@bentots/service';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { errorOf, gate, newAddress, openHandle, patient, startRunner, until } from '../test/runner-server.js';
import { connectRunner } from './index.js';

describe.each(['unix', 'tcp'] as const)('over %s', (family) => {
  test('a call reaches the runner and its result comes back', async () => {
    const runner = await startRunner({ family, onCall: (call) => call.respond([call.method, ...call.args]) });
    const handle = openHandle([runner.address]);
    const tensor = Tensor.from([1, 2]);
    expect(await handle.run('predict', [tensor, null], {})).toEqual(['predict', tensor, null]);
  });

  test('errors of a method arrive with class and message', async () => {
    const runner = await startRunner({
      family,
      onCall: () => {
        throw new RangeError('out of digits');
      },
    });
    expect(await errorOf(openHandle([runner.address]).run('fail', [], {}))).toMatchObject({
      code: 'runner_failed',
      message: "runner 'matmul' method 'fail' failed: RangeError: out of digits",
    });
  });
});

describe('connections', () => {
  test('are made when first needed', async () => {
    const runner = await startRunner();
    const handle = openHandle([runner.address]);
    expect(runner.connections.length).toBe(0);
    await handle.run('a', [], {});
    expect(runner.connections.length).toBe(1);
  });

  test('are as many as the runner has workers, and work goes to the one with the least', async () => {
    const held = gate();
    const seen: number[] = [];
    const runner = await startRunner({
      workers: 3,
      onCall: async (call, connection) => {
        seen.push(connection);
        await held.opened;
        call.respond(connection);
      },
    });
    const handle = openHandle([runner.address]);
    const first = handle.run('a', [], {});
    await until(() => runner.connections.length === 3);
    await handle.isReady(patient());
    const others = [handle.run('a', [], {}), handle.run('a', [], {})];
    await until(() => seen.length === 3);
    expect([...seen].sort()).toEqual([0, 1, 2]);
    held.open();
    await Promise.all([first, ...others]);
  });

  test('stay within the limit, one to each replica at least', async () => {
    const runners = await Promise.all([startRunner({ workers: 8 }), startRunner({ workers: 8 })]);
    const handle = openHandle(
      runners.map(({ address }) => address),
      { maxConnections: 4 },
    );
    await handle.run('a', [], {});
    await until(() => runners.every(({ connections }) => connections.length === 2));
    await handle.isReady(patient());
    expect(runners.map(({ connections }) => connections.length)).toEqual([2, 2]);
  });

  test('come back when the runner does, and calls wait for them', async () => {
    const runner = await startRunner();
    const handle = openHandle([runner.address]);
    await handle.run('a', [], {});
    await runner.kill();
    const reborn = await startRunner({ address: runner.address, onCall: (call) => call.respond('reborn') });
    await until(() => reborn.connections.length === 1);
    expect(await handle.run('a', [], {})).toBe('reborn');
  });

  test('that go away are replaced at once while their calls end', async () => {
    const held = gate();
    const runner = await startRunner({
      onCall: async (call, connection) => {
        if (call.method === 'slow') await held.opened;
        call.respond(connection);
      },
    });
    const handle = openHandle([runner.address]);
    const slow = handle.run('slow', [], {});
    await until(() => runner.connections[0]?.inFlight === 1);
    runner.connections[0]?.goAway();
    await until(() => runner.connections.length === 2);
    await handle.isReady(patient());
    expect(await handle.run('quick', [], {})).toBe(1);
    held.open();
    expect(await slow).toBe(0);
  });
});

describe('a runner that cannot be reached', () => {
  test('is named with its address and the reason', async () => {
    const runner = await startRunner({ family: 'tcp' });
    await runner.kill();
    const port = runner.address.kind === 'tcp' ? runner.address.port : 0;
    expect(await errorOf(openHandle([runner.address]).run('a', [], {}))).toMatchObject({
      code: 'unavailable',
      message: `runner 'matmul' cannot be reached at tcp://127.0.0.1:${port}: connection refused`,
      details: { runner: 'matmul', address: `tcp://127.0.0.1:${port}` },
    });
  });

  test('by a socket file that is not there says so', async () => {
    const address = await newAddress('unix');
    expect(await errorOf(openHandle([address]).run('a', [], {}))).toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/cannot be reached at unix:.*: there is no such socket file/),
    });
  });

  test('because another one is there is an error of the map', async () => {
    const runner = await startRunner({ name: 'other' });
    expect(await errorOf(openHandle([runner.address]).run('a', [], {}))).toMatchObject({
      code: 'runner_map_invalid',
      message: expect.stringContaining("serves runner 'other', not 'matmul'"),
    });
  });

  test('because no runner server is there is a protocol error', async () => {
    const runner = await startRunner({
      onSocket: (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
    });
    expect(await errorOf(openHandle([runner.address]).run('a', [], {}))).toMatchObject({
      code: 'protocol_error',
      message: expect.stringContaining('answers in HTTP'),
    });
  });

  test('because it says nothing fails after the time for connecting', async () => {
    const runner = await startRunner({ onSocket: () => undefined });
    expect(
      await errorOf(openHandle([runner.address], { connectTimeoutMs: 30 }).run('a', [], {})),
    ).toMatchObject({
      code: 'unavailable',
    });
  });

  test('does not hold a call longer than its deadline or its signal', async () => {
    const runner = await startRunner({ onSocket: () => undefined });
    const handle = openHandle([runner.address]);
    expect(await errorOf(handle.run('a', [], { deadline: Date.now() + 20 }))).toMatchObject({
      code: 'deadline_exceeded',
    });
    const controller = new AbortController();
    const call = errorOf(handle.run('a', [], { signal: controller.signal }));
    controller.abort();
    expect(await call).toMatchObject({ code: 'cancelled' });
    expect(await errorOf(handle.run('a', [], { signal: controller.signal }))).toMatchObject({
      code: 'cancelled',
    });
  });

  test('at a deadline is named so, even when the timer is ahead of the clock', async () => {
    const runner = await startRunner({ onSocket: () => undefined });
    const handle = openHandle([runner.address]);
    const now = Date.now();
    const clock = vi.spyOn(Date, 'now').mockReturnValue(now);
    try {
      expect(await errorOf(handle.run('a', [], { deadline: now + 20 }))).toMatchObject({
        code: 'deadline_exceeded',
      });
    } finally {
      clock.mockRestore();
    }
  });

  test('at one replica is served by the others', async () => {
    const [good, bad] = [await startRunner(), await startRunner()];
    await bad.kill();
    const handle = openHandle([bad.address, good.address]);
    expect(await Promise.all([1, 2, 3].map(() => handle.run('a', [], {})))).toEqual([0, 0, 0]);
  });
});

test('no address is a mistake that is named at once', () => {
  expect(() => connectRunner('matmul', [])).toThrow(expect.objectContaining({ code: 'runner_map_invalid' }));
});

describe('a runner that answers nothing', () => {
  test('is dead after as many beats as it may miss', async () => {
    const runner = await startRunner();
    const handle = openHandle([runner.address], { heartbeatMs: 20, maxMissedBeats: 2 });
    await handle.run('a', [], {});
    runner.freeze();
    expect(await errorOf(handle.run('a', [], {}))).toMatchObject({ code: 'unavailable' });
  });

  test('is waited for while it may only be computing', async () => {
    const runner = await startRunner();
    const handle = openHandle([runner.address], { heartbeatMs: 5, maxMissedBeats: 1000 });
    await handle.run('a', [], {});
    runner.freeze();
    const call = handle.run('a', [], {});
    await new Promise((resolve) => setTimeout(resolve, 100));
    runner.thaw();
    expect(await call).toBe(0);
  });
});

describe('proxy settings', () => {
  const saved = { ...process.env };
  afterEach(() => {
    process.env = { ...saved };
  });

  test('are never followed', async () => {
    const asked: unknown[] = [];
    const proxy = createServer((socket) => void asked.push(socket.destroy()));
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const address = proxy.address();
    const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
    for (const name of ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'ALL_PROXY']) process.env[name] = url;
    const runner = await startRunner({ family: 'tcp' });
    expect(await openHandle([runner.address]).run('a', [], {})).toBe(0);
    expect(asked).toEqual([]);
    await new Promise((resolve) => proxy.close(resolve));
  });
});

describe('closing', () => {
  test('waits for calls in flight, then refuses new ones', async () => {
    const held = gate();
    const runner = await startRunner({
      onCall: async (call) => {
        await held.opened;
        call.respond('done');
      },
    });
    const handle = openHandle([runner.address], { closeTimeoutMs: 20_000 });
    const call = handle.run('a', [], {});
    await until(() => runner.connections[0]?.inFlight === 1);
    const closed = handle.close();
    held.open();
    expect(await call).toBe('done');
    await closed;
    expect(await errorOf(handle.run('a', [], {}))).toMatchObject({
      code: 'unavailable',
      message: "the connection to runner 'matmul' is closed in this process",
    });
  });

  test('fails what does not end within the bound, and what waits for a connection', async () => {
    const runner = await startRunner({ onCall: () => undefined });
    const handle = openHandle([runner.address], { closeTimeoutMs: 20 });
    const running = errorOf(handle.run('a', [], {}));
    await until(() => runner.connections[0]?.inFlight === 1);
    await handle.close();
    expect(await running).toMatchObject({ code: 'unavailable' });

    const silent = await startRunner({ onSocket: () => undefined });
    const waiting = openHandle([silent.address]);
    const waits = errorOf(waiting.run('a', [], {}));
    await waiting.close();
    expect(await waits).toMatchObject({ code: 'unavailable', message: expect.stringContaining('is closed') });
  });

  test('may be asked for twice, and before anything was connected', async () => {
    const handle = openHandle([await newAddress('unix')]);
    await Promise.all([handle.close(), handle.close()]);
  });
});
