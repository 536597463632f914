import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { ask } from '../test/load.js';
import { endTrees, eventually, fixture, httpPlan, isAlive, Tree } from '../test/tree.js';
import type { SpareStatus } from './status.js';

const folder = mkdtempSync(join(tmpdir(), 'bentots-spare-'));
afterEach(endTrees);
afterAll(() => rmSync(folder, { recursive: true }));

/** A tree of one worker that has a spare, and the numbers of the spares that are warm. */
async function startWithSpare(name: string, env: Record<string, string> = {}) {
  const file = join(folder, name);
  const entry = fixture('spare-worker.mjs');
  const watcher = { entry, numProcesses: 1, spare: true, env: { SPARE_FILE: file, ...env } };
  const tree = await Tree.start(httpPlan(watcher));
  const warmPids = (): number[] => {
    try {
      return readFileSync(file, 'utf8').trim().split('\n').map(Number);
    } catch {
      return []; // none is warm yet
    }
  };
  return {
    tree,
    nextSpare: (count: number) => eventually(() => warmPids().length >= count, 20_000),
    warmPids,
  };
}

async function sparesOf(tree: Tree): Promise<readonly SpareStatus[]> {
  const { watchers } = await tree.ask('status');
  return watchers.flatMap(({ workers }) => workers.flatMap(({ spares }) => spares));
}

async function end(tree: Tree): Promise<void> {
  tree.kill('SIGTERM');
  expect(await tree.exited).toBe(0);
}

test('a reload takes the process that waits, and starts another to wait', async () => {
  const { tree, nextSpare, warmPids } = await startWithSpare('reload');
  const [first] = tree.events.flatMap((event) => (event.type === 'worker-ready' ? event.info : []));
  expect(first).toEqual({ isWarm: false });
  await nextSpare(1);
  const [address] = tree.sockets;
  if (address === undefined) throw new Error('no socket');
  expect((await ask(address.address)).pid).not.toBe(warmPids()[0]);
  await tree.ask('reload');
  expect((await ask(address.address)).pid).toBe(warmPids()[0]);
  const ready = tree.events.filter((event) => event.type === 'worker-ready');
  expect(ready[1]).toMatchObject({ pid: warmPids()[0], info: { isWarm: true } });
  await nextSpare(2);
  expect(warmPids()[1]).not.toBe(warmPids()[0]);
  await end(tree);
});

test('a crash is answered by the process that waits', async () => {
  const { tree, nextSpare, warmPids } = await startWithSpare('crash');
  await nextSpare(1);
  const [pid = 0] = await tree.pids();
  process.kill(pid, 'SIGKILL');
  const next = await tree.event('worker-ready', (event) => event.pid !== pid);
  expect(next.pid).toBe(warmPids()[0]);
  await end(tree);
});

test('two wait, which the status tells, so that the second of two quick reloads finds one too', async () => {
  const { tree, nextSpare, warmPids } = await startWithSpare('two');
  await nextSpare(2);
  const waiting = warmPids();
  const told = waiting.map((pid) => ({ pid, isWarm: true }));
  await eventually(async () => JSON.stringify(await sparesOf(tree)) === JSON.stringify(told));
  await tree.ask('reload');
  await tree.ask('reload');
  const ready = tree.events.flatMap((event) => (event.type === 'worker-ready' ? [event.pid] : []));
  expect(ready.slice(1)).toEqual(waiting);
  await end(tree);
});

test('spares that were killed are no loss: the next process is started as ever', async () => {
  const { tree, nextSpare, warmPids } = await startWithSpare('killed');
  await nextSpare(2);
  const spares = warmPids();
  for (const spare of spares) process.kill(spare, 'SIGKILL');
  // Gone for their parent too, not only dead.
  await eventually(async () => (await sparesOf(tree)).length === 0);
  await tree.ask('reload');
  const ready = await tree.event('worker-ready', () => true, 2);
  expect(ready.info).toEqual({ isWarm: false });
  await end(tree);
  expect(tree.events.filter((event) => 'pid' in event && spares.includes(event.pid ?? 0))).toEqual([]);
});

test('a spare that could not be the next is followed by another, while the old process serves', async () => {
  const { tree, nextSpare, warmPids } = await startWithSpare('broken');
  const [before] = await tree.pids();
  await nextSpare(1);
  writeFileSync(join(folder, 'broken.broken'), '');
  await expect(tree.ask('reload')).rejects.toThrow('the code is broken');
  rmSync(join(folder, 'broken.broken'));
  expect(await tree.pids()).toEqual([before]);
  await nextSpare(2);
  await tree.ask('reload');
  expect(await tree.pids()).toEqual([warmPids()[1]]);
  await end(tree);
});

test('a warm-up that throws makes a worker like any other', async () => {
  const { tree, nextSpare } = await startWithSpare('throws', { SPARE_THROWS: '1' });
  await nextSpare(1);
  await tree.ask('reload');
  await end(tree);
});

test.each(['SIGTERM', 'SIGKILL'] as const)('a spare ends with its tree: %s', async (signal) => {
  const { tree, nextSpare, warmPids } = await startWithSpare(signal);
  await nextSpare(1);
  tree.kill(signal);
  await tree.exited;
  await eventually(() => warmPids().every((pid) => !isAlive(pid)));
});
