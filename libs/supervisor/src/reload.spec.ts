import { afterEach, describe, expect, test } from 'vitest';
import { ask, begin, get, Load } from '../test/load.js';
import { endTrees, eventually, httpPlan, Tree } from '../test/tree.js';
import type { WatcherSpec } from './plan.js';

afterEach(endTrees);

const addressOf = (tree: Tree) => {
  const [socket] = tree.sockets;
  if (socket === undefined) throw new Error('the tree has no socket');
  return socket.address;
};

const envOf = async (tree: Tree, name: string): Promise<string> => get(addressOf(tree), `/env?name=${name}`);

const start = (watcher: Partial<WatcherSpec> = {}): Promise<Tree> =>
  Tree.start(httpPlan(watcher), { replan: true });

async function end(tree: Tree): Promise<void> {
  tree.kill('SIGTERM');
  expect(await tree.exited).toBe(0);
}

describe('a reload with a new plan', () => {
  test('starts the successors by it, in its number, and later ones too', async () => {
    const tree = await start({ env: { VERSION: '1' } });
    expect(await envOf(tree, 'VERSION')).toBe('1');
    await tree.ask('plan', httpPlan({ env: { VERSION: '2' }, numProcesses: 3 }));
    const load = new Load(addressOf(tree), 'keep-alive', 4);
    await tree.ask('reload');
    await load.end();
    expect(load.failures).toEqual([]);
    expect(await tree.ask('status')).toMatchObject({ watchers: [{ state: 'active', numProcesses: 3 }] });
    for (const pid of await tree.pids()) process.kill(pid, 'SIGKILL');
    await tree.event('worker-ready', () => true, 8);
    expect(await envOf(tree, 'VERSION')).toBe('2');
    await end(tree);
  });

  test('keeps a number that was set by hand, unless the plan changes it', async () => {
    const tree = await start({ numProcesses: 1 });
    await tree.ask('setNumProcesses', 'web', 2);
    await tree.ask('reload');
    expect(await tree.pids()).toHaveLength(2);
    await tree.ask('plan', httpPlan({ numProcesses: 3 }));
    await tree.ask('reload');
    expect(await tree.pids()).toHaveLength(3);
    await tree.ask('plan', httpPlan({ numProcesses: 1 }));
    await tree.ask('reload');
    expect(await tree.pids()).toHaveLength(1);
    await end(tree);
  });

  test('that cannot be taken is refused before anything is touched', async () => {
    const tree = await start();
    const before = await tree.pids();
    await tree.ask('plan', httpPlan({}, { port: 65_000 }));
    await expect(tree.ask('reload')).rejects.toThrow("socket 'http' cannot change");
    await tree.ask('plan', { name: 'test', sockets: [], watchers: [{ name: 'web', entry: 'here' }] });
    await expect(tree.ask('reload')).rejects.toThrow('numProcesses');
    expect(await tree.pids()).toEqual(before);
    await tree.ask('plan', httpPlan());
    await tree.ask('reload');
    expect(before.filter((pid) => tree.everyPid.indexOf(pid) > 1)).toEqual([]);
    await end(tree);
  });

  test('that does not get ready leaves the old one to those that were not replaced, for ever', async () => {
    const tree = await start({ env: { VERSION: '1' } });
    await tree.ask('plan', httpPlan({ env: { VERSION: '2' }, data: { failFromWorker: 2 } }));
    await expect(tree.ask('reload')).rejects.toThrow('worker 2 is broken');
    const versions = async (): Promise<string[]> => {
      const seen = new Map<number, string>();
      await eventually(async () => {
        const { workerId } = await ask(addressOf(tree));
        if (!seen.has(workerId)) {
          const [id = '', version = ''] = (await get(addressOf(tree), '/env?name=VERSION&id=1')).split(' ');
          seen.set(Number(id), version);
        }
        return seen.size === 2;
      });
      return [seen.get(1) ?? '', seen.get(2) ?? ''];
    };
    expect(await versions()).toEqual(['2', '1']);
    for (const pid of await tree.pids()) process.kill(pid, 'SIGKILL');
    await eventually(async () =>
      (await tree.ask('status')).watchers.every(({ state, workers }) => {
        return state === 'active' && workers.every(({ generation }) => generation > 2 - workers.length);
      }),
    );
    await tree.event('worker-ready', ({ workerId, generation }) => workerId === 1 && generation === 3);
    await tree.event('worker-ready', ({ workerId, generation }) => workerId === 2 && generation === 3);
    expect(await versions()).toEqual(['2', '1']);
    await end(tree);
  });
});

describe('a reload reaches workers that are not ready', () => {
  test('one that waits for its next try is started at once, by the new plan', async () => {
    const restart = { initialDelayMs: 60_000, maxDelayMs: 60_000 };
    const tree = await start({ numProcesses: 1, data: { failFromGeneration: 2 }, restart });
    await ask(addressOf(tree), '/crash').catch(() => undefined);
    await tree.event('worker-restarting', ({ delayMs }) => delayMs > 10_000);
    await tree.ask('plan', httpPlan({ numProcesses: 1, env: { VERSION: '2' }, restart }));
    await tree.ask('reload');
    expect(await envOf(tree, 'VERSION')).toBe('2');
    expect(await tree.ask('status')).toMatchObject({ watchers: [{ state: 'active' }] });
    await end(tree);
  });

  test('one that is starting, perhaps for ever, is replaced', async () => {
    const tree = await start({ numProcesses: 1, data: { neverReadyFromGeneration: 2 } });
    await ask(addressOf(tree), '/crash').catch(() => undefined);
    await tree.event('worker-started', ({ generation }) => generation === 2);
    await tree.ask('plan', httpPlan({ numProcesses: 1, env: { VERSION: '2' } }));
    await tree.ask('reload');
    expect(await envOf(tree, 'VERSION')).toBe('2');
    expect(await tree.ask('status')).toMatchObject({
      watchers: [{ state: 'active', workers: [{ generation: 3 }] }],
    });
    expect(await tree.event('worker-exited', ({ generation }) => generation === 2)).toBeDefined();
    await end(tree);
  });

  test('one that was told to stop by somebody else is replaced while it finishes', async () => {
    const tree = await start({ numProcesses: 1 });
    const [pid = 0] = await tree.pids();
    const slow = await begin(addressOf(tree), '/?ms=700&id=slow');
    process.kill(pid, 'SIGTERM');
    await tree.event('worker-draining');
    await tree.ask('reload');
    expect(await slow.answer).toMatchObject({ id: 'slow', pid });
    expect(await tree.ask('status')).toMatchObject({
      watchers: [{ state: 'active', workers: [{ state: 'ready', generation: 2 }] }],
    });
    await end(tree);
  });
});

test('a reload asked for while one runs happens after it; those that wait are one', async () => {
  const tree = await start({ numProcesses: 1 });
  const first = tree.ask('reload');
  await tree.event('worker-started', ({ generation }) => generation === 2);
  await Promise.all([first, tree.ask('reload'), tree.ask('reload')]);
  expect(await tree.ask('status')).toMatchObject({ watchers: [{ workers: [{ generation: 3 }] }] });
  await end(tree);
});

test.each([
  [true, 2],
  [false, 1],
])(
  'a worker that fails keeps those of other watchers back unless they go together: %s',
  async (reloadTogether, generation) => {
    const { watchers, ...plan } = httpPlan({ numProcesses: 1 });
    const [web] = watchers;
    if (web === undefined) throw new Error('no watcher');
    const broken = { ...web, name: 'broken', data: { failFromGeneration: 2 } };
    const tree = await Tree.start({ ...plan, watchers: [broken, web], reloadTogether });
    await expect(tree.ask('reload')).rejects.toThrow('generation 2 is broken');
    const status = await tree.ask('status');
    const [first, second] = status.watchers.map(({ workers }) => workers[0]);
    expect(first).toMatchObject({ state: 'ready' });
    const pids = tree.events.filter((event) => event.type === 'worker-ready').map(({ pid }) => pid);
    expect(pids).toContain(first?.pid);
    expect(second).toMatchObject({ state: 'ready', generation });
    await end(tree);
  },
);
