import http from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { begin, get, Load } from '../test/load.js';
import { endTrees, eventually, httpPlan, Tree } from '../test/tree.js';
import { SAME_WISH_MS } from './signals.js';

afterEach(endTrees);

const addressOf = (tree: Tree) => {
  const [socket] = tree.sockets;
  if (socket === undefined) throw new Error('the tree has no socket');
  return socket.address;
};

const readiness = async (tree: Tree): Promise<Record<string, unknown>> =>
  JSON.parse(await get(addressOf(tree), '/readyz')) as Record<string, unknown>;

const isLameDuck = ({ events }: Tree): boolean =>
  events.some((event) => event.type === 'tree' && event.state === 'lame-duck');

describe('the lame-duck time', () => {
  test('readiness ends first; everything is served for the delay, and only then the stop begins', async () => {
    const tree = await Tree.start({ ...httpPlan(), lameDuckMs: 1500 });
    expect(await readiness(tree)).toMatchObject({
      draining: false,
      lameDucks: 0,
      lameDuck: false,
      crashLooping: [],
    });
    const load = new Load(addressOf(tree), 'close');
    const startedAt = performance.now();
    tree.kill('SIGTERM');
    await tree.event('tree', ({ state }) => state === 'lame-duck');
    const told = async (): Promise<boolean> => (await readiness(tree))['lameDuck'] === true;
    for (const _ of [1, 2, 3, 4]) await eventually(told);
    expect(await readiness(tree)).toMatchObject({ draining: true, lameDucks: 1 });
    const before = load.ok;
    await eventually(() => load.ok > before + 20);
    expect(tree.events.some((event) => event.type === 'worker-draining')).toBe(false);
    load.refusalIsFine();
    await tree.event('worker-draining');
    expect(performance.now() - startedAt).toBeGreaterThan(1400);
    expect(await tree.exited).toBe(0);
    await load.allRefused();
    expect(load.failures).toEqual([]);
  });

  test('a worker that is started in it knows of it', async () => {
    const tree = await Tree.start({ ...httpPlan({ numProcesses: 1 }), lameDuckMs: 60_000 });
    tree.kill('SIGTERM');
    await tree.event('tree', ({ state }) => state === 'lame-duck');
    await get(addressOf(tree), '/crash').catch(() => undefined);
    await tree.event('worker-ready', ({ generation }) => generation === 2);
    expect(await readiness(tree)).toMatchObject({ draining: true, lameDuck: true });
  });

  test('clients of open connections are told to go', async () => {
    const tree = await Tree.start({ ...httpPlan({ numProcesses: 1 }), lameDuckMs: 60_000 });
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    await get(addressOf(tree), '/', { agent });
    tree.kill('SIGTERM');
    await tree.event('tree', ({ state }) => state === 'lame-duck');
    await eventually(async () => (await readiness(tree))['lameDuck'] === true);
    await get(addressOf(tree), '/', { agent });
    expect(Object.keys(agent.freeSockets)).toEqual([]);
    agent.destroy();
  });

  test('a second signal ends it, and nothing in flight is lost; the next one forces', async () => {
    const tree = await Tree.start({
      ...httpPlan({ numProcesses: 1, data: { deaf: true }, graceMs: 60_000 }),
      lameDuckMs: 60_000,
    });
    const slow = await begin(addressOf(tree), '/?id=slow&ms=1000');
    tree.kill('SIGTERM');
    await tree.event('tree', ({ state }) => state === 'lame-duck');
    // Time has to pass: earlier it would be the same wish.
    await new Promise((resolve) => setTimeout(resolve, SAME_WISH_MS + 50));
    tree.kill('SIGTERM');
    await tree.event('worker-draining');
    expect(await slow.answer).toMatchObject({ id: 'slow' });
    tree.kill('SIGTERM');
    expect(await tree.exited).toBe(130);
  });

  test('somebody at a terminal does not wait for it', async () => {
    const tree = await Tree.start({ ...httpPlan({ numProcesses: 1 }), lameDuckMs: 60_000 });
    tree.kill('SIGINT');
    expect(await tree.exited).toBe(0);
    expect(isLameDuck(tree)).toBe(false);
  });

  test('without a delay the stop begins at once', async () => {
    const tree = await Tree.start(httpPlan({ numProcesses: 1 }));
    tree.kill('SIGTERM');
    expect(await tree.exited).toBe(0);
    expect(isLameDuck(tree)).toBe(false);
  });
});
