import { existsSync } from 'node:fs';
import net from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { ask, get, Load, send } from '../test/load.js';
import { endTrees, eventually, httpPlan, isAlive, isStopped, socketPath, Tree } from '../test/tree.js';
import { Arbiter } from './arbiter.js';
import type { SupervisorEvent, WorkerRef } from './events.js';
import type { WatcherSpec } from './plan.js';

afterEach(endTrees);

const addressOf = (tree: Tree) => {
  const [socket] = tree.sockets;
  if (socket === undefined) throw new Error('the tree has no socket');
  return socket.address;
};

async function end(tree: Tree): Promise<void> {
  tree.kill('SIGTERM');
  expect(await tree.exited).toBe(0);
}

const isOf =
  <T extends SupervisorEvent['type']>(type: T) =>
  (event: SupervisorEvent): event is Extract<SupervisorEvent, { type: T }> =>
    event.type === type;

/** Kills every worker and waits until all have been reported. */
async function killAll(tree: Tree): Promise<void> {
  const pids = await tree.pids();
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  await tree.event('worker-exited', ({ pid }) => pids.includes(pid ?? 0), pids.length);
}

/** How many open connections the workers have, as far as the arbiter knows. */
async function handedBy(tree: Tree): Promise<number> {
  const { watchers } = await tree.ask('status');
  return watchers.flatMap(({ workers }) => workers).reduce((sum, { connections }) => sum + connections, 0);
}

/** Connects without a pause until it is ended; says what connecting came to. */
function probe(address: ReturnType<typeof addressOf>) {
  const outcomes = new Map<string, number>();
  let isOver = false;
  const connect = () =>
    new Promise<string>((resolve) => {
      const socket = net.connect(address, () => resolve('connected'));
      socket.on('error', ({ message }) => resolve(message));
      socket.once('connect', () => socket.destroy());
    });
  const running = (async () => {
    while (!isOver) {
      const outcome = await connect();
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      // Slowly: while no worker is there the queue must hold them all.
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  const stop = async () => {
    isOver = true;
    await running;
    return outcomes;
  };
  return { stop, connect, count: () => outcomes.get('connected') ?? 0 };
}

describe('① a socket listens from start to stop, whatever its workers do', () => {
  test.each([
    ['shared', 'TCP'],
    ['balanced', 'TCP'],
    ['shared', 'unix'],
    ['balanced', 'unix'],
  ] as const)('%s, %s: reloaded, killed, and without any worker', async (accept, kind) => {
    const restart = { maxCrashes: 1, maxDelayMs: 3000, onCrashLoop: 'keep' } as const;
    const where = kind === 'unix' ? { path: socketPath() } : {};
    const tree = await Tree.start(httpPlan({ restart }, { accept, ...where }));
    const clients = probe(addressOf(tree));
    await tree.ask('reload');
    await killAll(tree);
    await tree.event('worker-ready', ({ generation }) => generation === 3, 2);
    await killAll(tree);
    // Nobody is there now, for some seconds.
    await tree.event('crash-loop', () => true, 2);
    const before = clients.count();
    await eventually(() => clients.count() > before + 10);
    expect(tree.events.filter(isOf('worker-started')).filter(({ generation }) => generation > 3)).toEqual([]);
    expect(await ask(addressOf(tree))).toMatchObject({ generation: 4 });
    expect([...(await clients.stop()).keys()]).toEqual(['connected']);
    await end(tree);
    expect(await clients.connect()).toMatch(/ECONNREFUSED|ENOENT/);
  });
});

describe('② after a command each worker number has one ready process', () => {
  /** The numbers of the workers that were ready and have not ended, one for each process. */
  const readyOf = (tree: Tree): number[] => {
    const key = ({ workerId, generation }: WorkerRef) => `${workerId}:${generation}`;
    const ended = new Set(tree.events.filter(isOf('worker-exited')).map(key));
    const left = tree.events.filter(isOf('worker-ready')).filter((event) => !ended.has(key(event)));
    return left.map(({ workerId }) => workerId).sort();
  };
  const livingOf = (tree: Tree): number => tree.everyPid.filter(isAlive).length;

  test.each(['shared', 'balanced'] as const)(
    '%s: reload, restart, more workers, fewer workers',
    async (accept) => {
      const tree = await Tree.start(httpPlan({ data: { quietMs: 1 } }, { accept }));
      const commands: readonly [() => Promise<unknown>, number[]][] = [
        [() => tree.ask('reload'), [1, 2]],
        [() => tree.ask('restart'), [1, 2]],
        [() => tree.ask('setNumProcesses', 'web', 4), [1, 2, 3, 4]],
        [() => tree.ask('restart', 'web', 3), [1, 2, 3, 4]],
        [() => tree.ask('setNumProcesses', 'web', 1), [1]],
      ];
      for (const [command, workers] of commands) {
        await command();
        expect(readyOf(tree)).toEqual(workers);
        expect(livingOf(tree)).toBe(workers.length);
      }
      await end(tree);
    },
  );

  test('a reload of workers that die meanwhile', async () => {
    const tree = await Tree.start(httpPlan({ numProcesses: 3 }));
    const reloaded = tree.ask('reload');
    await tree.event('worker-restarting', ({ reason }) => reason === 'reload');
    for (const pid of (await tree.pids()).slice(1)) process.kill(pid, 'SIGKILL');
    await reloaded;
    // Those that died may come back by themselves, if it was not the reload that replaced them.
    await eventually(() => readyOf(tree).join() === '1,2,3', 20_000);
    expect(livingOf(tree)).toBe(3);
    await end(tree);
  });

  test('a reload that fails', async () => {
    const tree = await Tree.start(httpPlan({ numProcesses: 3, data: { failFromGeneration: 2 } }));
    await expect(tree.ask('reload')).rejects.toThrow('generation 2 is broken');
    expect(readyOf(tree)).toEqual([1, 2, 3]);
    expect(livingOf(tree)).toBe(3);
    await end(tree);
  });
});

describe('③ a connection has one owner: the queue, the arbiter, or one worker', () => {
  test.each(['shared', 'balanced'] as const)(
    '%s: each is answered once, though its first owners died or were replaced',
    async (accept) => {
      const tree = await Tree.start(httpPlan({ data: { snapshots: true } }, { accept }), { metrics: true });
      const pids = await tree.pids();
      for (const pid of pids) process.kill(pid, 'SIGSTOP');
      await eventually(() => pids.every(isStopped));
      const sent = Array.from({ length: 40 }, (_, id) => send(addressOf(tree), `/?id=${id}`));
      // All of them are in the queue, or on the way to a worker that will not take them.
      const requests = await Promise.all(sent);
      if (accept === 'balanced') await eventually(async () => (await handedBy(tree)) === 40);
      for (const pid of pids) process.kill(pid, 'SIGKILL');
      const answers = await Promise.all(requests.map(({ answer }) => answer));
      const ids = answers.map(({ id }) => Number(id));
      expect(ids).toEqual(Array.from({ length: 40 }, (_, id) => id));
      expect(await get(addressOf(tree), '/metrics')).toBe('served 40');
      await tree.ask('reload');
      expect(await get(addressOf(tree), '/metrics')).toBe('served 40');
      await eventually(async () => (await handedBy(tree)) === 0);
      await end(tree);
    },
  );
});

describe('④ no process outlives its arbiter', () => {
  test.each(['SIGKILL', 'SIGTERM'] as const)(
    '%s: workers, grandchildren and the socket file go',
    async (signal) => {
      const path = socketPath();
      const tree = await Tree.start(httpPlan({ data: { grandchild: true } }, { path }));
      const grandchildren = tree.events
        .filter(isOf('worker-ready'))
        .map(({ info }) => (info as { grandchild: number }).grandchild);
      expect(grandchildren.filter(isAlive)).toHaveLength(2);
      tree.kill(signal);
      await tree.exited;
      const tookMs = await eventually(() => ![...tree.everyPid, ...grandchildren].some(isAlive), 20_000);
      expect(tookMs).toBeLessThan(5000);
      await eventually(() => !existsSync(path));
    },
  );
});

describe('⑤ totals never fall', () => {
  test('read without a pause, while workers serve, are killed, replaced and stopped', async () => {
    const tree = await Tree.start(httpPlan({ data: { snapshots: true } }, { accept: 'balanced' }), {
      metrics: true,
    });
    const totals: number[] = [];
    let isOver = false;
    const reading = (async () => {
      while (!isOver) {
        const text = await get(addressOf(tree), '/metrics').catch(() => '');
        // A reader whose worker is killed gets nothing.
        if (text !== '') totals.push(Number(text.split(' ')[1]));
      }
    })();
    const load = new Load(addressOf(tree), 'close', 2);
    for (let round = 2; round <= 3; round += 1) {
      const before = totals.length;
      await eventually(() => load.ok > 50 * (round - 1) && totals.length > before + 3, 20_000);
      await killAll(tree);
      await tree.event('worker-ready', ({ generation }) => generation === round, 2);
    }
    await tree.ask('reload');
    await load.end();
    const read = totals.length;
    await eventually(() => totals.length > read + 1, 20_000);
    isOver = true;
    await reading;
    expect(totals).toEqual([...totals].sort((a, b) => a - b));
    expect(totals.at(-1)).toBeGreaterThan(100);
    await end(tree);
  });
});

describe('⑥ commands are carried out one after the other, and none is refused', () => {
  test('asked for all together they succeed, and no two replacements overlap', async () => {
    const tree = await Tree.start(httpPlan({ data: { quietMs: 1 } }));
    const all = await Promise.all([
      tree.ask('reload'),
      tree.ask('restart'),
      tree.ask('reload'),
      tree.ask('setNumProcesses', 'web', 3),
      tree.ask('restart', 'web', 3),
      tree.ask('setNumProcesses', 'web', 2),
    ]);
    expect(all).toEqual([null, null, null, 3, null, 2]);
    const moves = tree.events.flatMap((event) => {
      if (event.type === 'worker-restarting') return [`${event.reason} of ${event.workerId}`];
      return event.type === 'worker-exited' ? [`end of ${event.workerId}`] : [];
    });
    const text = moves.join(', ');
    // Each process that is replaced is gone before the next command touches anything.
    const unpaired = text.replaceAll(/(reload|restart) of (\d), end of \2(, |$)/g, '');
    expect(unpaired.replace(', ', ''), text).toBe('end of 3');
    expect(text.match(/restart of/g)).toHaveLength(3);
    // Reloads that wait are one.
    expect([2, 4]).toContain(text.match(/reload of/g)?.length);
    expect(await tree.ask('status')).toMatchObject({ state: 'running', watchers: [{ state: 'active' }] });
    await end(tree);
  });
});

describe('⑦ every process that was started ends with one event that tells how', () => {
  interface Path {
    readonly watcher?: Partial<WatcherSpec>;
    /** What makes the first process end. */
    readonly act?: (tree: Tree) => unknown;
    readonly exit: object;
  }
  const keep = { onCrashLoop: 'keep' } as const;
  const paths: Readonly<Record<string, Path>> = {
    'a crash': {
      act: (tree) => get(addressOf(tree), '/crash').catch(() => undefined),
      exit: { code: 3, signal: null, expected: false, reason: 'crashed' },
    },
    'kill -9': {
      act: async (tree) => process.kill((await tree.pids())[0] ?? 0, 'SIGKILL'),
      exit: { code: null, signal: 'SIGKILL', expected: false, reason: 'crashed' },
    },
    'a clean exit that nobody asked for': {
      act: (tree) => get(addressOf(tree), '/crash?code=0').catch(() => undefined),
      exit: { code: 0, signal: null, expected: false, reason: 'ended' },
    },
    'a SIGTERM that the arbiter did not send': {
      act: async (tree) => process.kill((await tree.pids())[0] ?? 0, 'SIGTERM'),
      exit: { code: 0, signal: null, expected: false, reason: 'left' },
    },
    'a stopped heartbeat': {
      watcher: { heartbeatLimitMs: 1500 },
      act: (tree) => get(addressOf(tree), '/block?ms=60000').catch(() => undefined),
      exit: { code: null, signal: 'SIGKILL', expected: false, reason: 'heartbeat stopped' },
    },
    'a reload': {
      act: (tree) => tree.ask('reload'),
      exit: { code: 0, signal: null, expected: true, reason: 'asked' },
    },
    'a stop': {
      act: (tree) => tree.kill('SIGTERM'),
      exit: { code: 0, signal: null, expected: true, reason: 'asked' },
    },
    'a stop beyond the grace time': {
      watcher: { graceMs: 400, data: { deaf: true } },
      act: (tree) => tree.kill('SIGTERM'),
      exit: { code: null, signal: 'SIGKILL', expected: true, reason: 'grace time is over' },
    },
    'a second signal': {
      watcher: { graceMs: 60_000, data: { deaf: true } },
      act: async (tree) => {
        tree.kill('SIGTERM');
        await tree.event('worker-draining');
        await eventually(() => tree.kill('SIGINT') === undefined && tree.events.some(isOf('worker-killed')));
      },
      exit: { code: null, signal: 'SIGKILL', expected: true, reason: 'forced' },
    },
    'never ready': {
      watcher: { data: { neverReady: true }, readyTimeoutMs: 700 },
      exit: { code: null, signal: 'SIGKILL', expected: false, reason: 'not ready in time' },
    },
    'an error before it is ready': {
      watcher: { data: { bootError: 'service_broken' } },
      exit: { code: 3, expected: false, reason: 'crashed', error: { code: 'service_broken' } },
    },
    'a spawn that fails': {
      watcher: { cwd: '/nowhere' },
      exit: { code: null, signal: null, expected: false, reason: 'not started' },
    },
  };

  test.each(Object.entries(paths))('%s', async (_what, { watcher, act, exit }) => {
    const plan = httpPlan({ numProcesses: 1, restart: keep, ...watcher });
    const tree = act === undefined ? new Tree(plan) : await Tree.start(plan);
    const bornAt = performance.now();
    await act?.(tree);
    const told = await tree.event('worker-exited');
    expect(told).toMatchObject({ watcher: 'web', workerId: 1, generation: 1, ...exit });
    expect(told.livedMs).toBeGreaterThanOrEqual(0);
    expect(told.livedMs).toBeLessThan(performance.now() - bornAt + 10_000);
    tree.kill('SIGTERM');
    await tree.exited;
    const key = ({ generation, pid }: WorkerRef) => `${generation}:${pid}`;
    const exits = tree.events.filter(isOf('worker-exited')).map(key);
    expect(exits.sort()).toEqual(tree.events.filter(isOf('worker-started')).map(key).sort());
    expect(tree.everyPid.filter(isAlive)).toEqual([]);
  });

  test('a spawn that the system refuses at once: the old process stays, and the arbiter lives', async () => {
    const plan = (env: Record<string, string>) =>
      httpPlan({ numProcesses: 1, env, data: { quietMs: 1 }, restart: keep });
    const events: SupervisorEvent[] = [];
    const arbiter = new Arbiter(plan({}), {
      onEvent: (event) => void events.push(event),
      replan: () => Promise.resolve(plan({ LARGE: 'x'.repeat(200_000) })),
    });
    await arbiter.start();
    await expect(arbiter.reload()).rejects.toThrow("worker 1 of 'web' cannot be started: spawn E2BIG");
    expect(arbiter.status().watchers[0]?.workers).toMatchObject([{ state: 'ready' }]);
    expect(events.filter(isOf('worker-exited'))).toMatchObject([
      { generation: 2, code: null, signal: null, expected: false, reason: 'not started' },
    ]);
    await arbiter.stop();
    expect(events.filter(isOf('worker-exited'))).toHaveLength(2);
  });
});
