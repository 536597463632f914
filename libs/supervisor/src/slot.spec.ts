import { afterEach, describe, expect, test } from 'vitest';
import { ask, begin, Load } from '../test/load.js';
import { endTrees, eventually, httpPlan, isAlive, Tree } from '../test/tree.js';
import type { WorkerStatus } from './status.js';

afterEach(endTrees);

const addressOf = (tree: Tree) => {
  const [socket] = tree.sockets;
  if (socket === undefined) throw new Error('the tree has no socket');
  return socket.address;
};

async function workerOf(tree: Tree): Promise<WorkerStatus> {
  const [worker] = (await tree.ask('status')).watchers.flatMap(({ workers }) => workers);
  if (worker === undefined) throw new Error('the tree has no worker');
  return worker;
}

async function end(tree: Tree): Promise<void> {
  tree.kill('SIGTERM');
  expect(await tree.exited).toBe(0);
}

describe('a worker that is killed', () => {
  test('is replaced at once under the same number, while the others serve', async () => {
    const tree = await Tree.start(httpPlan());
    const [first = 0] = await tree.pids();
    const load = new Load(addressOf(tree), 'close', 4);
    await eventually(() => load.ok > 20);
    process.kill(first, 'SIGKILL');
    const restarting = await tree.event('worker-restarting');
    expect(restarting).toMatchObject({ workerId: 1, generation: 1, reason: 'crashed', delayMs: 0 });
    const started = await tree.event('worker-started', ({ generation }) => generation === 2);
    expect(tree.msBetween(restarting, started)).toBeLessThan(1000);
    expect(started).toMatchObject({ watcher: 'web', workerId: 1 });
    await tree.event('worker-ready', ({ generation }) => generation === 2);
    await eventually(() => started.pid !== undefined && load.answeredBy.has(started.pid));
    await load.end();
    // Only requests that were in the killed process may fail.
    expect(load.failures.length).toBeLessThanOrEqual(4);
    await end(tree);
    const exits = tree.events.filter((event) => event.type === 'worker-exited');
    expect(exits).toHaveLength(3);
    expect(exits[0]).toMatchObject({ signal: 'SIGKILL', expected: false });
    expect(exits.slice(1)).toMatchObject([
      { code: 0, expected: true },
      { code: 0, expected: true },
    ]);
  });
});

test('the next process of a worker that crashed is spawned within 200 ms of its death', async () => {
  const tree = await Tree.start(httpPlan({ numProcesses: 5 }));
  const pauses: number[] = [];
  for (const workerId of [1, 2, 3, 4, 5]) {
    const own = (generation: number) => (event: { workerId: number; generation: number }) =>
      event.workerId === workerId && event.generation === generation;
    const { pid = 0 } = await tree.event('worker-started', own(1));
    const killedAtMs = performance.timeOrigin + performance.now();
    process.kill(pid, 'SIGKILL');
    const next = await tree.event('worker-started', own(2));
    pauses.push(tree.atMs(next) - killedAtMs);
    await tree.event('worker-ready', own(2));
  }
  // A machine that is busy with other things holds up some of them, not most.
  expect(pauses.sort((a, b) => a - b)[2]).toBeLessThan(200);
  await end(tree);
});

describe('a worker whose successor does not get ready', () => {
  test('is replaced by the one after: the successor is killed when its time is over', async () => {
    // As long as a good worker may take on a slow machine.
    const readyTimeoutMs = 6000;
    const plan = httpPlan({ numProcesses: 1, readyTimeoutMs, data: { neverReadyGeneration: 2 } });
    const tree = await Tree.start(plan);
    const [first = 0] = await tree.pids();
    process.kill(first, 'SIGKILL');
    const stuck = await tree.event('worker-started', ({ generation }) => generation === 2);
    const killed = await tree.event('worker-killed');
    expect(killed).toMatchObject({ workerId: 1, pid: stuck.pid, reason: 'not ready in time' });
    expect(tree.msBetween(stuck, killed)).toBeGreaterThan(readyTimeoutMs - 500);
    const exit = await tree.event('worker-exited', ({ generation }) => generation === 2);
    expect(exit).toMatchObject({ signal: 'SIGKILL', expected: false, reason: 'not ready in time' });
    const ready = await tree.event('worker-ready', ({ generation }) => generation === 3);
    expect(await ask(addressOf(tree))).toMatchObject({ workerId: 1, generation: 3, pid: ready.pid });
    expect(isAlive(stuck.pid ?? 0)).toBe(false);
    await end(tree);
    const everReady = tree.events.filter((event) => event.type === 'worker-ready');
    expect(everReady.map(({ generation }) => generation)).toEqual([1, 3]);
  });
});

describe('a worker that is told to stop by somebody else', () => {
  test('finishes what it has, and is replaced half a second later', async () => {
    const tree = await Tree.start(httpPlan({ numProcesses: 1 }));
    const [pid = 0] = await tree.pids();
    const slow = await begin(addressOf(tree), '/?id=slow&ms=300');
    process.kill(pid, 'SIGTERM');
    expect(await slow.answer).toMatchObject({ id: 'slow', pid });
    const exit = await tree.event('worker-exited');
    expect(exit).toMatchObject({ code: 0, expected: false, reason: 'left' });
    expect(exit).not.toHaveProperty('error');
    expect(await tree.event('worker-restarting')).toMatchObject({ reason: 'left', delayMs: 500 });
    const next = await tree.event('worker-started', ({ generation }) => generation === 2);
    expect(tree.msBetween(exit, next)).toBeGreaterThan(450);
    expect(await ask(addressOf(tree))).toMatchObject({ workerId: 1, generation: 2 });
    await end(tree);
  });

  test('is not replaced when the tree is told to stop next', async () => {
    const tree = await Tree.start(httpPlan());
    for (const pid of await tree.pids()) process.kill(pid, 'SIGTERM');
    await tree.event('worker-exited', () => true, 2);
    await end(tree);
    expect(tree.everyPid).toHaveLength(2);
    expect(tree.report).toMatchObject({ reason: 'asked' });
  });
});

describe('a worker that crashes again and again', () => {
  const restart = { initialDelayMs: 20, maxDelayMs: 60, maxCrashes: 3, windowMs: 60_000 };

  test('ends the tree with the exit code of a crash loop', async () => {
    const tree = await Tree.start(httpPlan({ numProcesses: 1, restart, data: { crashAfterMs: 10 } }));
    expect(await tree.exited).toBe(8);
    expect(tree.report).toMatchObject({ exitCode: 8, reason: 'crash-loop', error: { code: 'crash_loop' } });
    const delays = tree.events.flatMap((event) =>
      event.type === 'worker-restarting' ? [event.delayMs] : [],
    );
    expect(delays).toHaveLength(3);
    expect(delays[0]).toBe(0);
    expect(delays[2]).toBeGreaterThan(delays[1] ?? 0);
    expect(tree.everyPid.filter(isAlive)).toEqual([]);
  });

  test('goes on if the policy is to keep, and says that it is looping', async () => {
    const keep = { ...restart, maxDelayMs: 400, onCrashLoop: 'keep' } as const;
    const tree = await Tree.start(httpPlan({ numProcesses: 1, restart: keep, data: { crashAfterMs: 10 } }));
    await tree.event('crash-loop');
    expect(await tree.ask('status')).toMatchObject({
      state: 'running',
      watchers: [{ state: 'crash-looping', workers: [{ state: 'crash-looping', restarts: 4 }] }],
    });
    await tree.event('worker-ready', () => true, 5);
    await end(tree);
  });
});

describe('a worker whose event loop is blocked', () => {
  test('is killed and replaced when its heartbeat is missing for too long', async () => {
    const tree = await Tree.start(httpPlan({ numProcesses: 1, heartbeatLimitMs: 1500 }));
    ask(addressOf(tree), '/block?ms=60000').catch(() => undefined);
    expect(await tree.event('worker-killed')).toMatchObject({ reason: 'heartbeat stopped' });
    expect(await ask(addressOf(tree))).toMatchObject({ generation: 2 });
    await end(tree);
  });

  test('is told from one whose event loop is only busy: that one still beats, and lives', async () => {
    const tree = await Tree.start(httpPlan({ numProcesses: 1, heartbeatLimitMs: 3000 }));
    const [pid = 0] = await tree.pids();
    const busy = ask(addressOf(tree), '/spin?id=busy&ms=5000');
    await eventually(async () => ((await workerOf(tree)).utilization ?? 0) > 0.9);
    expect((await workerOf(tree)).cpu).toBeGreaterThan(0.1);
    expect(await busy).toMatchObject({ id: 'busy', pid });
    await end(tree);
    expect(tree.events.filter(({ type }) => type === 'worker-killed')).toEqual([]);
  });

  test('is left alone if it was the arbiter that slept', async () => {
    const tree = await Tree.start(httpPlan({ numProcesses: 1, heartbeatLimitMs: 1500 }));
    const [pid = 0] = await tree.pids();
    tree.kill('SIGSTOP');
    // Time has to pass here: longer than a worker may be silent, and then for a few of the arbiter's looks.
    await new Promise((resolve) => setTimeout(resolve, 3000));
    tree.kill('SIGCONT');
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(await tree.pids()).toEqual([pid]);
    await end(tree);
  });
});

describe('reload', () => {
  test.each(['shared', 'balanced'] as const)(
    '%s: replaces every worker without a failed request',
    async (accept) => {
      const tree = await Tree.start(httpPlan({}, { accept }));
      const before = await tree.pids();
      const loads = (['close', 'keep-alive', 'think-time'] as const).map(
        (kind) => new Load(addressOf(tree), kind, 4),
      );
      await tree.ask('reload');
      await tree.ask('reload');
      await Promise.all(loads.map((load) => load.end()));
      expect(loads.flatMap((load) => load.failures)).toEqual([]);
      expect(loads.every((load) => load.ok > 20)).toBe(true);
      expect((await tree.pids()).filter((pid) => before.includes(pid))).toEqual([]);
      expect(await tree.ask('status')).toMatchObject({ state: 'running', watchers: [{ state: 'active' }] });
      await end(tree);
    },
  );

  test('keeps the old workers when the new one does not get ready', async () => {
    const tree = await Tree.start(httpPlan({ data: { failFromGeneration: 2 } }));
    const before = await tree.pids();
    await expect(tree.ask('reload')).rejects.toThrow('generation 2 is broken');
    expect(await tree.pids()).toEqual(before);
    expect(before).toContain((await ask(addressOf(tree))).pid);
    await end(tree);
  });
});
