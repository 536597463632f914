import { ServeError } from '@bentots/errors';
import type { RunnerAddress } from '@bentots/runner-map';
import { describe, expect, test } from 'vitest';
import {
  errorOf,
  gate,
  openHandle,
  patient,
  type RunnerOptions,
  startRunner,
  type TestRunner,
  until,
} from '../test/runner-server.js';
import type { RemoteRunner, RunnerClientOptions } from './index.js';

/** Replicas on 127.0.0.1, 127.0.0.2, … and one port, and a name that can be made to stand for any of them. */
async function startNamed(count: number, options: RunnerOptions = {}) {
  const first = await startRunner({ ...options, address: at('127.0.0.1', 0) });
  const port = first.address.kind === 'tcp' ? first.address.port : 0;
  const others = Array.from({ length: count - 1 }, (_, i) =>
    startRunner({ ...options, address: at(`127.0.0.${i + 2}`, port) }),
  );
  const runners = [first, ...(await Promise.all(others))];
  const names = { ips: runners.map((_, i) => `127.0.0.${i + 1}`), asked: 0 };
  const open = (more: RunnerClientOptions = {}): RemoteRunner =>
    openHandle([at('runner.test', port)], {
      resolve: () => {
        names.asked += 1;
        return Promise.resolve(names.ips);
      },
      resolveEveryMs: 10,
      ...more,
    });
  return { runners, names, open, port };
}

function at(host: string, port: number): RunnerAddress {
  return { kind: 'tcp', host, port };
}

function connections(runners: readonly TestRunner[]): number[] {
  return runners.map((runner) => runner.connections.length);
}

/** Which replicas a handle has open, by the last part of their address. */
function up(handle: RemoteRunner): string[] {
  const open = handle.stats().replicas.filter(({ state }) => state !== 'down');
  return open.map(({ address }) => /(\d+)\)?$/.exec(address)?.[1] ?? address);
}

describe('a host name', () => {
  test('stands for as many replicas as it has addresses', async () => {
    const { runners, open, port } = await startNamed(3);
    const handle = open();
    await handle.run('a', [], {});
    await until(() => up(handle).length === 3);
    expect(connections(runners)).toEqual([1, 1, 1]);
    expect(handle.stats().replicas.map(({ address }) => address)).toEqual(
      [1, 2, 3].map((i) => `tcp://runner.test:${port} (127.0.0.${i})`),
    );
  });

  test('that gets a new address gets a new replica', async () => {
    const { runners, names, open } = await startNamed(2);
    names.ips = ['127.0.0.1'];
    const handle = open();
    await handle.run('a', [], {});
    names.ips = ['127.0.0.1', '127.0.0.2'];
    await until(() => up(handle).length === 2);
    expect(connections(runners)).toEqual([1, 1]);
  });

  test('that loses an address lets its calls end and sends no more there', async () => {
    const held = gate();
    const { runners, names, open } = await startNamed(2, {
      onCall: async (call) => {
        if (call.method === 'slow') await held.opened;
        call.respond(call.method);
      },
    });
    const handle = open();
    await handle.run('a', [], {});
    await until(() => up(handle).length === 2);
    const slow = [handle.run('slow', [], {}), handle.run('slow', [], {})];
    await until(() => runners.every((runner) => runner.connections[0]?.inFlight === 1));
    names.ips = ['127.0.0.2'];
    await until(() => up(handle).length === 1);
    expect(await Promise.all([1, 2, 3].map(() => handle.run('quick', [], {})))).toHaveLength(3);
    expect(runners[0]?.connections[0]?.inFlight).toBe(1);
    held.open();
    expect(await Promise.all(slow)).toEqual(['slow', 'slow']);
    expect(await runners[0]?.connections[0]?.closed).toBeUndefined();
  });

  test('is resolved at once when a connection fails', async () => {
    const { runners, names, open } = await startNamed(2, { onCall: (call) => call.respond('served') });
    names.ips = ['127.0.0.1'];
    const handle = open({ resolveEveryMs: 3_600_000, reconnectLimitMs: 60_000 });
    await handle.run('a', [], {});
    names.ips = ['127.0.0.2'];
    await runners[0]?.kill();
    expect(await handle.run('a', [], { idempotent: true })).toBe('served');
    expect(runners[1]?.connections.length).toBe(1);
  });

  test('that is unknown fails calls, and is named', async () => {
    const { open, port } = await startNamed(1);
    const handle = open({
      resolve: () => Promise.reject(Object.assign(new Error('nothing'), { code: 'ENOTFOUND' })),
    });
    expect(await errorOf(handle.run('a', [], {}))).toMatchObject({
      code: 'unavailable',
      message: `runner 'matmul' cannot be reached at tcp://runner.test:${port}: the host name is unknown`,
    });
  });

  test('that is not known for a moment keeps its replicas', async () => {
    const { names, open } = await startNamed(2);
    const handle = open();
    await handle.run('a', [], {});
    await until(() => up(handle).length === 2);
    names.ips = [];
    const { asked } = names;
    await until(() => names.asked > asked + 2);
    expect(up(handle)).toEqual(['1', '2']);
    expect(await handle.run('a', [], {})).toBe(0);
  });

  test('such as localhost is resolved by the system', async () => {
    const runner = await startRunner({ address: at('127.0.0.1', 0) });
    const port = runner.address.kind === 'tcp' ? runner.address.port : 0;
    expect(await openHandle([at('localhost', port)]).run('a', [], {})).toBe(0);
  });
});

describe('a replica whose calls fail in a row', () => {
  /** Two replicas, of which the first fails while `state.isBroken`. */
  async function startOneBroken() {
    const state = { isBroken: true };
    const logged: string[] = [];
    const replica = (name: string, isBroken: () => boolean) =>
      startRunner({
        onCall: (call) => {
          if (isBroken()) call.fail(new ServeError('internal', 'the model is gone'));
          else call.respond(name);
        },
      });
    const runners = [await replica('bad', () => state.isBroken), await replica('good', () => false)];
    const note = (message: string): unknown => logged.push(message);
    const handle = openHandle(
      runners.map(({ address }) => address),
      { minEjectionMs: 20, log: { info: note, warn: note } },
    );
    await handle.isReady(patient());
    await until(() => up(handle).length === 2);
    const call = (): Promise<unknown> => handle.run('a', [], {}).catch((error: unknown) => error);
    return { state, handle, logged, call, killGood: () => runners[1]?.kill() };
  }

  test('gets no more of them, and serves again when it is well', async () => {
    const { state, handle, logged, call } = await startOneBroken();
    const bad = () => handle.stats().replicas[0];
    while (bad()?.state !== 'ejected') await call();
    expect(await Promise.all(Array.from({ length: 5 }, call))).toEqual(Array(5).fill('good'));
    state.isBroken = false;
    while (bad()?.state !== 'up') await call();
    expect(await Promise.all(Array.from({ length: 4 }, call))).toEqual(
      expect.arrayContaining(['good', 'bad']),
    );
    const told = logged.filter((line) => /left out|serves again/.test(line));
    expect(told.length).toBe(2);
    expect(told[0]).toMatch(/^runner 'matmul' at unix:.* is left out: 5 calls failed in a row$/);
    expect(told[1]).toMatch(/^runner 'matmul' at unix:.* serves again$/);
  });

  test('is still used when no other is left', async () => {
    const { handle, call, killGood } = await startOneBroken();
    while (handle.stats().replicas[0]?.state !== 'ejected') await call();
    const two = handle.stats().replicas;
    expect(two.map(({ state }) => state)).toEqual(['ejected', 'up']);
    await killGood();
    await until(() => handle.stats().replicas[1]?.state === 'down');
    expect(await call()).toMatchObject({ message: 'the model is gone' });
  });
});
