import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { errorOf, gate, newAddress, openHandle, patient, startRunner, until } from '../test/runner-server.js';

/** Calls wait as long as products let them, however slow the machine is. */
const calm = { reconnectLimitMs: 60_000, connectTimeoutMs: 60_000 };

describe('a runner that listens and does not serve yet', () => {
  test('is waited for, over as many attempts as it takes', async () => {
    const runner = await startRunner({ onSocket: (_, number) => (number > 3 ? 'serve' : undefined) });
    const handle = openHandle([runner.address], { ...calm, attemptTimeoutMs: 30 });
    expect(await handle.run('a', [], {})).toBe(0);
  });

  test('is waited for when it drops every connection', async () => {
    const runner = await startRunner({
      onSocket: (socket, number) => (number > 3 ? 'serve' : socket.destroy()),
    });
    expect(await openHandle([runner.address], calm).run('a', [], {})).toBe(0);
  });

  test('is waited for by a call that came during an attempt that fails', async () => {
    const first = gate<Socket>();
    const runner = await startRunner({
      onSocket: (socket, number) => (number === 1 ? first.open(socket) : 'serve'),
    });
    const handle = openHandle([runner.address], { ...calm, reconnectLimitMs: 0 });
    const early = handle.run('a', [], {});
    const socket = await first.opened;
    const late = handle.run('a', [], {});
    socket.destroy();
    expect(await Promise.all([early, late])).toEqual([0, 0]);
  });

  test('holds no call beyond its deadline, and the error tells of the last attempt', async () => {
    const runner = await startRunner({ onSocket: (socket) => socket.destroy() });
    const handle = openHandle([runner.address], calm);
    const error = await errorOf(handle.run('a', [], { deadline: Date.now() + 200 }));
    expect(error).toMatchObject({
      code: 'deadline_exceeded',
      message: expect.stringContaining('could not be reached in time'),
    });
  });

  test('holds no call beyond the time for connecting', async () => {
    const runner = await startRunner({ onSocket: () => undefined });
    const handle = openHandle([runner.address], { ...calm, attemptTimeoutMs: 10, connectTimeoutMs: 100 });
    expect(await errorOf(handle.run('a', [], {}))).toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('no hello within 10 ms'),
    });
  });

  test('is not ready, which is said after one attempt', async () => {
    const runner = await startRunner({ onSocket: (socket) => socket.destroy() });
    expect(await openHandle([runner.address], calm).isReady(patient())).toBe(false);
  });
});

describe('a runner that is not there', () => {
  test('is waited for a while: calls that come meanwhile are served when it is back', async () => {
    const runner = await startRunner({ family: 'tcp' });
    const handle = openHandle([runner.address], calm);
    await handle.run('a', [], {});
    await runner.kill();
    await until(() => handle.stats().replicas[0]?.state === 'down');
    const calls = [1, 2, 3].map(() => handle.run('a', [], {}));
    expect(await handle.isReady(patient())).toBe(false);
    expect(handle.stats().waiting).toBe(3);
    await startRunner({ address: runner.address, onCall: (call) => call.respond('reborn') });
    expect(await Promise.all(calls)).toEqual(['reborn', 'reborn', 'reborn']);
  });

  test('fails calls when nothing has listened for longer than the limit', async () => {
    const handle = openHandle([await newAddress('unix')], { ...calm, reconnectLimitMs: 50 });
    expect(await errorOf(handle.run('a', [], {}))).toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('no such socket file'),
    });
    expect(await errorOf(handle.run('a', [], {}))).toMatchObject({ code: 'unavailable' });
  });

  test('does not fail calls while another replica may still serve', async () => {
    const opened = gate();
    const starting = await startRunner({
      onSocket: (socket, number) => {
        if (number > 1) return 'serve';
        return opened.opened.then(() => socket.destroy());
      },
    });
    const handle = openHandle([await newAddress('unix'), starting.address], { ...calm, reconnectLimitMs: 0 });
    const call = handle.run('a', [], {});
    expect(await Promise.race([call, handle.isReady(AbortSignal.timeout(100))])).toBe(false);
    opened.open();
    expect(await call).toBe(0);
  });
});

test('more calls than may wait are refused as overload', async () => {
  const runner = await startRunner({ onSocket: () => undefined });
  const handle = openHandle([runner.address], { ...calm, maxWaiting: 2 });
  const waiting = [handle.run('a', [], {}), handle.run('a', [], {})].map(errorOf);
  expect(await errorOf(handle.run('a', [], {}))).toMatchObject({
    code: 'overloaded',
    message: "2 calls wait for a connection to runner 'matmul'",
  });
  await handle.close();
  expect(await Promise.all(waiting)).toMatchObject([{ code: 'unavailable' }, { code: 'unavailable' }]);
});
