import { afterEach, describe, expect, test } from 'vitest';
import { ask, type ClientKind, get, Load } from '../test/load.js';
import { endTrees, eventually, httpPlan, isAlive, Tree } from '../test/tree.js';

afterEach(endTrees);

const KINDS: readonly ClientKind[] = ['close', 'keep-alive', 'think-time'];

const addressOf = (tree: Tree) => {
  const [socket] = tree.sockets;
  if (socket === undefined) throw new Error('the tree has no socket');
  return socket.address;
};

const envOf = async (tree: Tree, name: string): Promise<string> => get(addressOf(tree), `/env?name=${name}`);

async function workersOf(tree: Tree) {
  const [watcher] = (await tree.ask('status')).watchers;
  return watcher?.workers ?? [];
}

async function end(tree: Tree): Promise<void> {
  tree.kill('SIGTERM');
  expect(await tree.exited).toBe(0);
  expect(tree.everyPid.filter(isAlive)).toEqual([]);
  const exits = tree.events.flatMap((event) => (event.type === 'worker-exited' ? [event.pid] : []));
  expect(exits.sort()).toEqual(tree.everyPid.sort());
}

describe('setNumProcesses', () => {
  test.each(['shared', 'balanced'] as const)(
    '%s: grows and shrinks under load without a failed request',
    async (accept) => {
      const tree = await Tree.start(httpPlan({ numProcesses: 1 }, { accept }));
      const loads = KINDS.map((kind) => new Load(addressOf(tree), kind, 4));
      expect(await tree.ask('setNumProcesses', 'web', 3)).toBe(3);
      expect(await workersOf(tree)).toMatchObject(
        [1, 2, 3].map((workerId) => ({ workerId, state: 'ready', generation: 1 })),
      );
      const served = new Load(addressOf(tree), 'close', 4);
      const added = (await tree.pids()).slice(1);
      await eventually(() => added.every((pid) => served.answeredBy.has(pid)), 15_000);
      expect(await tree.ask('setNumProcesses', 'web', 1)).toBe(1);
      expect(await workersOf(tree)).toMatchObject([{ workerId: 1, state: 'ready', generation: 1 }]);
      await Promise.all([...loads, served].map((load) => load.end()));
      expect([...loads, served].flatMap((load) => load.failures)).toEqual([]);
      const changes = tree.events.filter((event) => event.type === 'num-processes');
      expect(changes).toMatchObject([
        { watcher: 'web', previous: 1, numProcesses: 3 },
        { watcher: 'web', previous: 3, numProcesses: 1 },
      ]);
      await end(tree);
    },
  );

  test('a request in flight is finished by the worker that has to go', async () => {
    const tree = await Tree.start(httpPlan({ numProcesses: 2 }, { accept: 'balanced' }));
    const [, second] = await workersOf(tree);
    const slow = [1, 2].map((id) => ask(addressOf(tree), `/?id=${id}&ms=600`));
    await eventually(async () => (await workersOf(tree)).every(({ connections }) => connections === 1));
    await tree.ask('setNumProcesses', 'web', 1);
    const pids = (await Promise.all(slow)).map(({ pid }) => pid);
    expect(pids).toContain(second?.pid);
    await end(tree);
  });

  test('grown workers have their own environment, used round and round', async () => {
    const perWorkerEnv = [{ DEVICE: 'a' }, { DEVICE: 'b' }];
    const tree = await Tree.start(httpPlan({ numProcesses: 1, perWorkerEnv }, { accept: 'balanced' }));
    await tree.ask('setNumProcesses', 'web', 4);
    const seen = new Set<string>();
    await eventually(async () => seen.add(await envOf(tree, 'DEVICE')).size === 2);
    const devices = await Promise.all([1, 2, 3, 4].map(async () => envOf(tree, 'DEVICE')));
    expect(devices.sort()).toEqual(['a', 'a', 'b', 'b']);
    await end(tree);
  });

  test('a new worker that does not get ready leaves everything as it was', async () => {
    const tree = await Tree.start(httpPlan({ numProcesses: 2, data: { failFromWorker: 4 } }));
    const before = await tree.pids();
    await expect(tree.ask('setNumProcesses', 'web', 4)).rejects.toThrow('worker 4 is broken');
    expect(await tree.pids()).toEqual(before);
    expect(await tree.ask('setNumProcesses', 'web', 3)).toBe(3);
    await end(tree);
  });

  test.each([
    [['wbe', 2], "no watcher is named 'wbe'; the tree has: web"],
    [['web', 0], 'expected a whole number from 1 to 1024'],
    [['web', 1025], 'expected a whole number from 1 to 1024'],
    [['web', 1.5], 'expected a whole number from 1 to 1024'],
    [['web', 2], "watcher 'web' is a singleton"],
  ])('%j is refused', async (args, message) => {
    const tree = await Tree.start(httpPlan({ numProcesses: 1, singleton: true }));
    await expect(tree.ask('setNumProcesses', ...args)).rejects.toThrow(message);
    await end(tree);
  });
});

describe('restart', () => {
  test('stops a worker before it starts the next one, one at a time', async () => {
    const tree = await Tree.start(httpPlan());
    const load = new Load(addressOf(tree), 'close', 4);
    await eventually(() => load.ok > 10);
    await tree.ask('restart', 'web');
    await load.end();
    expect(load.failures).toEqual([]);
    const steps = tree.events.flatMap((event) =>
      event.type === 'worker-restarting' || event.type === 'worker-exited' || event.type === 'worker-ready'
        ? [`${event.workerId}.${event.generation} ${event.type.slice(7)}`]
        : [],
    );
    expect(steps.slice(2)).toEqual(
      ['1.1 restarting', '1.1 exited', '1.2 ready'].concat(['2.1 restarting', '2.1 exited', '2.2 ready']),
    );
    expect(await workersOf(tree)).toMatchObject([{ restarts: 1 }, { restarts: 1 }]);
    await end(tree);
  });

  test('of one worker number leaves the others alone; an unknown one is refused', async () => {
    const tree = await Tree.start(httpPlan());
    await tree.ask('restart', 'web', 2);
    expect(await workersOf(tree)).toMatchObject([{ generation: 1 }, { generation: 2 }]);
    await expect(tree.ask('restart', 'web', 3)).rejects.toThrow('has no worker 3; it has 1 to 2');
    await end(tree);
  });

  test('fails when the new process does, and the next worker keeps what it has', async () => {
    const restart = { onCrashLoop: 'keep' } as const;
    const tree = await Tree.start(httpPlan({ data: { failFromGeneration: 2 }, restart }));
    await expect(tree.ask('restart')).rejects.toThrow('generation 2 is broken');
    expect((await workersOf(tree))[1]).toMatchObject({ state: 'ready', generation: 1 });
    await tree.event('worker-started', ({ workerId, generation }) => workerId === 1 && generation === 3);
    await end(tree);
  });
});

describe('commands on one watcher', () => {
  test('wait for each other and are never refused', async () => {
    const tree = await Tree.start(httpPlan({ numProcesses: 1 }));
    const answers = await Promise.all([
      tree.ask('changeNumProcesses', 'web', 1),
      tree.ask('restart', 'web', 2),
      tree.ask('reload'),
      tree.ask('changeNumProcesses', 'web', 1),
      tree.ask('setNumProcesses', 'web', 1),
    ]);
    expect(answers).toEqual([2, null, null, 3, 1]);
    expect(await workersOf(tree)).toHaveLength(1);
    await end(tree);
  });

  test('wait for the start of the tree, and are unavailable once it stops', async () => {
    const tree = new Tree(httpPlan({ numProcesses: 1, data: { deaf: true }, graceMs: 600 }));
    await tree.event('worker-started');
    expect(await tree.ask('setNumProcesses', 'web', 2)).toBe(2);
    const shrunk = tree.ask('setNumProcesses', 'web', 1).catch(String);
    const queued = tree.ask('restart').catch(String);
    await tree.event('worker-draining');
    tree.kill('SIGTERM');
    expect(await queued).toContain('is stopping');
    await shrunk;
    expect(await tree.exited).toBe(0);
    expect(tree.everyPid).toHaveLength(2);
  });
});

test('signal reaches the processes that it is meant for', async () => {
  const tree = await Tree.start(httpPlan());
  expect(await tree.ask('signal', 'SIGCONT')).toBe(2);
  expect(await tree.ask('signal', 'SIGKILL', 'web', 2)).toBe(1);
  expect(await tree.event('worker-exited')).toMatchObject({ workerId: 2, signal: 'SIGKILL' });
  await tree.event('worker-ready', ({ generation }) => generation === 2);
  await end(tree);
});

test('TTIN and TTOU give a worker more or less, never less than one', async () => {
  const tree = await Tree.start(httpPlan({ numProcesses: 1 }));
  const resized = (count: number) => tree.event('num-processes', () => true, count);
  tree.kill('SIGTTIN');
  expect(await resized(1)).toMatchObject({ numProcesses: 2 });
  tree.kill('SIGTTOU');
  expect(await resized(2)).toMatchObject({ numProcesses: 1 });
  tree.kill('SIGTTOU');
  await tree.event('signal', ({ effect }) => effect === 'shrink', 2);
  tree.kill('SIGTTIN');
  expect(await resized(3)).toMatchObject({ previous: 1, numProcesses: 2 });
  await end(tree);
});
