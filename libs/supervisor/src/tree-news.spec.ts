import { afterEach, expect, test } from 'vitest';
import { get } from '../test/load.js';
import { endTrees, eventually, httpPlan, isAlive, Tree } from '../test/tree.js';
import type { SupervisorEvent } from './events.js';
import type { TreeHealth } from './ipc.js';
import { TreeNews } from './tree-news.js';

afterEach(endTrees);

const ready: SupervisorEvent = {
  type: 'worker-ready',
  ...{ watcher: 'web', workerId: 1, generation: 1, pid: 1 },
  ...{ tookMs: 1, info: null },
};

test('news are told once, to every watcher', () => {
  const told: [string, TreeHealth][] = [];
  const watchers = ['web', 'pool'].map((name) => ({
    name,
    readyProcesses: [1],
    tell: (health: TreeHealth) => void told.push([name, health]),
  }));
  const source = { isLameDuck: false, watchers };
  const news = new TreeNews([], source);
  news.observe(ready);
  news.observe(ready);
  const health = { lameDuck: false, crashLooping: [], ready: { web: 1, pool: 1 } };
  expect(told).toEqual([
    ['web', health],
    ['pool', health],
  ]);
});

test('a tree that was a lame duck stays one while it stops', () => {
  const source = { isLameDuck: true, watchers: [] };
  const news = new TreeNews([], source);
  news.observe({ type: 'tree', state: 'lame-duck' });
  source.isLameDuck = false;
  news.observe({ type: 'tree', state: 'stopping' });
  expect(news.health.lameDuck).toBe(true);
});

test('every worker knows how many of each watcher are ready and not draining, from its start on', async () => {
  const { watchers, ...plan } = httpPlan({ numProcesses: 1 });
  const pool = httpPlan({
    ...{ name: 'pool', sockets: [], priority: 1, numProcesses: 2, graceMs: 30_000 },
    data: { noSocket: true, deaf: true },
  });
  const tree = await Tree.start({ ...plan, watchers: [...watchers, ...pool.watchers] });
  const [socket] = tree.sockets;
  if (socket === undefined) throw new Error('the tree has no socket');
  const told = async (): Promise<readonly TreeHealth['ready'][]> => {
    const all: readonly TreeHealth[] = JSON.parse(await get(socket.address, '/tree'));
    return all.map((health) => health.ready);
  };
  const tells = (web: number, poolReady: number) =>
    eventually(
      async () => JSON.stringify((await told()).at(-1)) === JSON.stringify({ web, pool: poolReady }),
    );

  await tells(1, 2);
  expect(await told()).toEqual([
    { web: 0, pool: 0 },
    { web: 1, pool: 0 },
    { web: 1, pool: 1 },
    { web: 1, pool: 2 },
  ]);

  const { pid } = await tree.event(
    'worker-ready',
    ({ watcher, workerId }) => watcher === 'pool' && workerId === 1,
  );
  process.kill(pid ?? 0, 'SIGKILL');
  await tree.event('worker-ready', ({ generation }) => generation === 2);
  await tells(1, 2);
  expect((await told()).slice(4)).toEqual([
    { web: 1, pool: 1 },
    { web: 1, pool: 2 },
  ]);

  // The second one hears that it is to go, and does not.
  const resized = tree.ask('setNumProcesses', 'pool', 1);
  resized.catch(() => undefined);
  const leaving = await tree.event('worker-draining');
  await tells(1, 1);
  expect(isAlive(leaving.pid ?? 0)).toBe(true);
});
