import { afterEach, describe, expect, test } from 'vitest';
import { get } from '../test/load.js';
import { endTrees, eventually, httpPlan, Tree } from '../test/tree.js';
import { Scaler, type ScalerHost } from './scaler.js';
import { compileScaling } from './scaling.js';

afterEach(endTrees);

describe('the scaler', () => {
  const CONFIG = compileScaling(
    { min: 1, max: 4, upAfterMs: 2000, downAfterMs: 4000, coolDownMs: 3000 },
    { numProcesses: 1, singleton: false, maxProcesses: 1024 },
    'here',
  );

  /** A watcher whose workers are all as busy as the test says. */
  class FakeWatcher implements ScalerHost {
    scaling: ScalerHost['scaling'] = CONFIG;
    numProcesses = 2;
    utilization = 0;
    queueDelaysMs: readonly number[] = [];
    readonly asked: [number, number][] = [];
    answer: () => Promise<void> = async () => undefined;

    get beats(): ScalerHost['beats'] {
      return Array.from({ length: this.numProcesses }, () => ({ utilization: this.utilization }));
    }
    async scale(from: number, to: number): Promise<void> {
      this.asked.push([from, to]);
      await this.answer();
      this.numProcesses = to;
    }
  }

  test('asks for more after the cool-down and the time of being busy, once while that takes', async () => {
    const watcher = new FakeWatcher();
    const scaler = new Scaler(watcher);
    watcher.utilization = 0.9;
    const gate: { open: () => void } = { open: () => undefined };
    watcher.answer = () => new Promise((resolve) => (gate.open = resolve));
    for (let at = 0; at < 3000; at += 1000) scaler.tick(at);
    expect(watcher.asked).toEqual([]);
    for (let at = 3000; at < 30_000; at += 1000) scaler.tick(at);
    expect(watcher.asked).toEqual([[2, 3]]);
    gate.open();
    await expect.poll(() => watcher.numProcesses).toBe(3);
  });

  test('the longest wait that anybody reports counts', () => {
    const watcher = new FakeWatcher();
    watcher.scaling = { ...CONFIG, maxQueueDelayMs: 50 };
    const scaler = new Scaler(watcher);
    watcher.queueDelaysMs = [0, 49, 3];
    for (let at = 0; at < 6000; at += 1000) scaler.tick(at);
    expect(watcher.asked).toEqual([]);
    watcher.queueDelaysMs = [0, 51, 3];
    for (let at = 6000; at < 10_000; at += 1000) scaler.tick(at);
    expect(watcher.asked).toEqual([[2, 3]]);
  });

  test('a change by hand begins a new time', () => {
    const watcher = new FakeWatcher();
    const scaler = new Scaler(watcher);
    watcher.utilization = 0.9;
    for (let at = 0; at < 3000; at += 1000) scaler.tick(at);
    watcher.numProcesses = 3;
    for (let at = 3000; at < 6000; at += 1000) scaler.tick(at);
    expect(watcher.asked).toEqual([]);
    scaler.tick(6000);
    expect(watcher.asked).toEqual([[3, 4]]);
  });

  test('does nothing when it is off, or when no worker has told how it is', () => {
    const watcher = new FakeWatcher();
    const scaler = new Scaler(watcher);
    watcher.utilization = 0.9;
    watcher.scaling = undefined;
    for (let at = 0; at < 10_000; at += 1000) scaler.tick(at);
    watcher.scaling = CONFIG;
    Object.defineProperty(watcher, 'beats', { value: [] });
    for (let at = 10_000; at < 20_000; at += 1000) scaler.tick(at);
    expect(watcher.asked).toEqual([]);
  });
});

describe('a tree with scaling', () => {
  const scaling = { min: 1, max: 2, upAfterMs: 0, downAfterMs: 0, coolDownMs: 1000, maxQueueDelayMs: 50 };

  const addressOf = (tree: Tree) => {
    const [socket] = tree.sockets;
    if (socket === undefined) throw new Error('the tree has no socket');
    return socket.address;
  };

  test('grows while a worker is busy and shrinks when it is idle, within its bounds', async () => {
    const tree = await Tree.start(httpPlan({ numProcesses: 1, scaling }));
    const busy = get(addressOf(tree), '/spin?ms=8000');
    await tree.event('num-processes', ({ previous, numProcesses }) => previous === 1 && numProcesses === 2);
    await busy;
    await tree.event('num-processes', ({ previous, numProcesses }) => previous === 2 && numProcesses === 1);
    expect(await tree.ask('status')).toMatchObject({ watchers: [{ numProcesses: 1, state: 'active' }] });
    tree.kill('SIGTERM');
    expect(await tree.exited).toBe(0);
  });

  test('grows when work waits, though nobody is busy', async () => {
    const data = { load: { queueDelayMs: 80 } };
    const tree = await Tree.start(httpPlan({ numProcesses: 1, scaling, data }));
    await tree.event('num-processes', ({ numProcesses }) => numProcesses === 2);
    const [watcher] = (await tree.ask('status')).watchers;
    expect(watcher?.workers[0]?.beat).toMatchObject({ queueDelayMs: 80 });
    tree.kill('SIGTERM');
    expect(await tree.exited).toBe(0);
  });

  test('grows when work for it waits in one of the processes of another watcher', async () => {
    const plan = httpPlan({
      numProcesses: 2,
      data: { loadElsewhere: { queueDelayMs: 80, watcher: 'pool' } },
    });
    const pool = httpPlan({ name: 'pool', sockets: [], numProcesses: 1, scaling, data: { noSocket: true } });
    const tree = await Tree.start({ ...plan, watchers: [...pool.watchers, ...plan.watchers] });
    expect(await tree.event('num-processes')).toMatchObject({ watcher: 'pool', numProcesses: 2 });
    const web = (await tree.ask('status')).watchers.find(({ name }) => name === 'web');
    expect(web?.workers.map(({ beat }) => [beat?.queueDelayMs, beat?.queueDelaysMs])).toEqual([
      [undefined, { pool: 80 }],
      [undefined, { pool: 0 }],
    ]);
    expect(await get(addressOf(tree), '/report?for=pond')).toBe(
      "invalid_argument: no watcher is named 'pond'; the tree has: pool, web",
    );
    tree.kill('SIGTERM');
    expect(await tree.exited).toBe(0);
  });

  test('takes no number out of its bounds, by command or by signal', async () => {
    const slow = { ...scaling, coolDownMs: 1e6 };
    const tree = await Tree.start(httpPlan({ numProcesses: 2, scaling: slow }));
    await expect(tree.ask('setNumProcesses', 'web', 3)).rejects.toThrow('its scaling has 1 to 2');
    tree.kill('SIGTTIN');
    await tree.event('signal', ({ effect }) => effect === 'grow');
    tree.kill('SIGTTOU');
    expect(await tree.event('num-processes')).toMatchObject({ previous: 2, numProcesses: 1 });
    await eventually(async () => (await tree.pids()).length === 1);
    tree.kill('SIGTERM');
    expect(await tree.exited).toBe(0);
  });
});
