import { ServeError } from '@bentots/errors';
import type { RunnerHandle, RunnerValue } from '@bentots/service';
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

/** Two connected replicas: whichever gets the first call cuts its connection, later calls are answered. */
async function startTwo() {
  const state = { hits: 0 };
  const onCall: NonNullable<RunnerOptions['onCall']> = (call, i) => {
    state.hits += 1;
    if (state.hits > 1) return call.respond('second');
    return replicas.find(({ connections }) => connections[i]?.inFlight === 1)?.connections[i]?.destroy();
  };
  const replicas = [await startRunner({ onCall }), await startRunner({ onCall })];
  const handle = openHandle(replicas.map(({ address }) => address));
  await connectAll(handle, replicas);
  return { handle, state, replicas };
}

/** Returns when calls can go to each of the replicas. */
async function connectAll(handle: RunnerHandle, replicas: readonly TestRunner[]): Promise<void> {
  await handle.isReady(patient());
  await until(() => replicas.every(({ connections }) => connections.length === 1));
  await handle.isReady(patient());
}

describe('a call whose connection is lost while it runs', () => {
  test('is made once more elsewhere when it is idempotent', async () => {
    const { handle, state } = await startTwo();
    expect(await handle.run('a', [], { idempotent: true })).toBe('second');
    expect(state.hits).toBe(2);
  });

  test('fails when it is not, and was sent once', async () => {
    const { handle, state, replicas } = await startTwo();
    expect(await errorOf(handle.run('a', [], {}))).toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(
        /^connection to runner 'matmul' at unix:.* was lost while the call was running$/,
      ),
    });
    await until(() =>
      replicas.every(({ connections }) => connections.every(({ inFlight }) => inFlight === 0)),
    );
    expect(state.hits).toBe(1);
  });

  test('is made twice at most', async () => {
    const state = { hits: 0 };
    const runner = await startRunner({
      onCall: (_call, i) => {
        state.hits += 1;
        runner.connections[i]?.destroy();
      },
    });
    const handle = openHandle([runner.address]);
    expect(await errorOf(handle.run('a', [], { idempotent: true }))).toMatchObject({ code: 'unavailable' });
    expect(state.hits).toBe(2);
  });
});

describe('a call that was not begun', () => {
  test('goes elsewhere though it is not idempotent', async () => {
    const seen: string[] = [];
    const replica = (name: string) =>
      startRunner({
        onCall: (call) => {
          seen.push(name);
          call.respond(name);
        },
      });
    const replicas = [await replica('a'), await replica('b')];
    const handle = openHandle(replicas.map(({ address }) => address));
    await connectAll(handle, replicas);
    // Calls of this turn cross the goaway on their way.
    replicas[0]?.connections[0]?.goAway();
    const results = await Promise.all([1, 2, 3, 4].map(() => handle.run('x', [], {})));
    expect(results.length).toBe(4);
    expect(seen.length).toBe(4);
  });

  test('waits for the replacement of its only connection', async () => {
    const runner = await startRunner();
    const handle = openHandle([runner.address]);
    await handle.run('a', [], {});
    runner.connections[0]?.goAway();
    expect(await handle.run('a', [], {})).toBe(1);
  });
});

test('an answer is never asked for again, whatever its code', async () => {
  const state = { hits: 0 };
  const runner = await startRunner({
    onCall: (call) => {
      state.hits += 1;
      call.fail(new ServeError('unavailable', 'the model sleeps'));
    },
  });
  const handle = openHandle([runner.address]);
  expect(await errorOf(handle.run('a', [], { idempotent: true }))).toMatchObject({
    message: 'the model sleeps',
  });
  expect(state.hits).toBe(1);
});

test('killing a replica under load fails no idempotent call', async () => {
  const replicas = [await startRunner(), await startRunner()];
  const handle = openHandle(replicas.map(({ address }) => address));
  await connectAll(handle, replicas);
  const halfway = gate();
  const progress = { done: 0 };
  const client = async (): Promise<void> => {
    for (let i = 0; i < 100; i += 1) {
      await handle.run('a', [new Uint8Array(100)], { idempotent: true });
      if ((progress.done += 1) === 800) halfway.open();
    }
  };
  const load = Promise.all(Array.from({ length: 16 }, client));
  await halfway.opened;
  await replicas[0]?.kill();
  await load;
  expect(progress.done).toBe(1600);
});

test('whatever dies under load, a call that is not idempotent runs once at most', async () => {
  const runs = new Map<number, number>();
  const onCall: NonNullable<RunnerOptions['onCall']> = (call) => {
    const id = Number(call.args[0]);
    runs.set(id, (runs.get(id) ?? 0) + 1);
    call.respond(id);
  };
  const replicas = [await startRunner({ onCall }), await startRunner({ onCall })];
  const handle = openHandle(replicas.map(({ address }) => address));
  await connectAll(handle, replicas);
  const outcomes = { answered: 0, lost: 0 };
  const client = async (from: number): Promise<void> => {
    for (let id = from; id < from + 100; id += 1) {
      const answer = await handle.run('a', [id], {}).catch((error: unknown) => error);
      if (answer === id) outcomes.answered += 1;
      else {
        expect(answer).toMatchObject({ code: 'unavailable' });
        outcomes.lost += 1;
      }
      // Connections die again and again, with calls of all clients in flight.
      if (id % 37 === 0) for (const { connections } of replicas) connections.at(-1)?.destroy();
    }
  };
  await Promise.all(Array.from({ length: 8 }, (_, i) => client(i * 100)));
  expect(outcomes.answered + outcomes.lost).toBe(800);
  expect(outcomes.lost).toBeGreaterThan(0);
  expect(Math.max(...runs.values())).toBe(1);
});

describe('the second time', () => {
  test('is at another replica, not on another connection to the same', async () => {
    const seen: string[] = [];
    const flaky = await startRunner({
      workers: 2,
      onCall: (_, i) => {
        seen.push('flaky');
        flaky.connections[i]?.destroy();
      },
    });
    const steady = await startRunner({ onCall: (call) => call.respond('steady') });
    const handle = openHandle([flaky.address, steady.address]);
    await handle.isReady(patient());
    await until(() => flaky.connections.length === 2 && steady.connections.length === 1);
    await handle.isReady(patient());
    while (seen.length === 0) expect(await handle.run('a', [], { idempotent: true })).toBe('steady');
    expect(seen).toEqual(['flaky']);
    expect(handle.stats().repeated).toBe(1);
  });

  test('is within the deadline: when nobody can be reached until then, the first error stands', async () => {
    const runner = await startRunner({ onCall: () => void runner.kill() });
    const handle = openHandle([runner.address], { reconnectLimitMs: 60_000 });
    const error = await errorOf(handle.run('a', [], { idempotent: true, deadline: Date.now() + 300 }));
    expect(error).toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('was lost while the call was running'),
    });
  });

  test('never comes for a call that ran out of time', async () => {
    const state = { hits: 0 };
    const onCall = (): void => void (state.hits += 1);
    const replicas = [await startRunner({ onCall }), await startRunner({ onCall })];
    const handle = openHandle(replicas.map(({ address }) => address));
    await connectAll(handle, replicas);
    const error = await errorOf(handle.run('a', [], { idempotent: true, deadline: Date.now() + 50 }));
    expect(error).toMatchObject({ code: 'deadline_exceeded' });
    await handle.isReady(patient());
    expect(state.hits).toBe(1);
  });
});

test.each(['unix', 'tcp'] as const)(
  'a runner that drains under load loses no call over %s',
  async (family) => {
    const replicas = [await startRunner({ family }), await startRunner({ family })];
    const handle = openHandle(replicas.map(({ address }) => address));
    await connectAll(handle, replicas);
    const halfway = gate();
    const progress = { done: 0 };
    const client = async (): Promise<void> => {
      for (let i = 0; i < 100; i += 1) {
        // Not idempotent: it may be sent again only because it is known that nothing of it ran.
        await handle.run('a', [new Uint8Array(30_000)], {});
        if ((progress.done += 1) === 500) halfway.open();
      }
    };
    const load = Promise.all(Array.from({ length: 16 }, client));
    await halfway.opened;
    const draining = replicas[0]?.connections[0];
    await draining?.close();
    expect(await draining?.closed).toBeUndefined();
    await load;
    expect(progress.done).toBe(1600);
  },
);

describe('a stream', () => {
  async function collect(stream: AsyncIterable<RunnerValue>): Promise<RunnerValue[]> {
    const values: RunnerValue[] = [];
    for await (const value of stream) values.push(value);
    return values;
  }

  test('gives its values', async () => {
    const runner = await startRunner({
      onCall: async (call) => {
        for (const value of [1, 2, 3]) await call.chunk(value);
        call.end();
      },
    });
    const handle = openHandle([runner.address]);
    expect(await collect(handle.stream('count', [], {}))).toEqual([1, 2, 3]);
    const iterator = handle.stream('count', [], {})[Symbol.asyncIterator]();
    const asked = [iterator.next(), iterator.next()];
    expect((await Promise.all(asked)).map(({ value }) => value)).toEqual([1, 2]);
    await iterator.return?.();
  });

  test('whose connection is lost before the first value is begun again when idempotent', async () => {
    const state = { hits: 0 };
    const runner = await startRunner({
      onCall: async (call, i) => {
        state.hits += 1;
        if (state.hits === 1) return runner.connections[i]?.destroy();
        await call.chunk('value');
        return call.end();
      },
    });
    expect(await collect(openHandle([runner.address]).stream('a', [], { idempotent: true }))).toEqual([
      'value',
    ]);
    expect(state.hits).toBe(2);
  });

  test('that is lost after a value fails, idempotent or not', async () => {
    const runner = await startRunner({ onCall: (call) => call.chunk('value') });
    const stream = openHandle([runner.address]).stream('a', [], { idempotent: true });
    const iterator = stream[Symbol.asyncIterator]();
    expect(await iterator.next()).toMatchObject({ value: 'value' });
    runner.connections[0]?.destroy();
    expect(await errorOf(iterator.next())).toMatchObject({ code: 'unavailable' });
  });

  test('that is left cancels its call', async () => {
    const stopped = gate<unknown>();
    const runner = await startRunner({
      onCall: async (call) => {
        try {
          for (;;) await call.chunk(new Uint8Array(50_000));
        } catch (error) {
          stopped.open(error);
        }
      },
    });
    for await (const value of openHandle([runner.address]).stream('endless', [], {})) {
      expect(value instanceof Uint8Array).toBe(true);
      break;
    }
    expect(await stopped.opened).toMatchObject({ code: 'cancelled' });
  });
});
