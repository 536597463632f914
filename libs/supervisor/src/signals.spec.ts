import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { ask, begin } from '../test/load.js';
import { endTrees, httpPlan, isAlive, Tree } from '../test/tree.js';
import { SAME_WISH_MS } from './signals.js';

afterEach(endTrees);

const addressOf = (tree: Tree) => {
  const [socket] = tree.sockets;
  if (socket === undefined) throw new Error('the tree has no socket');
  return socket.address;
};

describe('handleSignals', () => {
  test.each(['SIGINT', 'SIGTERM', 'SIGQUIT'] as const)('%s finishes what is in flight', async (signal) => {
    const tree = await Tree.start(httpPlan({ numProcesses: 1 }));
    const slow = await begin(addressOf(tree), '/?id=slow&ms=400');
    tree.kill(signal);
    expect(await slow.answer).toMatchObject({ id: 'slow' });
    expect(await tree.exited).toBe(0);
  });

  test('a second signal ends everything now, with exit code 130', async () => {
    const tree = await Tree.start(httpPlan({ data: { deaf: true }, graceMs: 20_000 }));
    tree.kill('SIGINT');
    await tree.event('worker-draining');
    await new Promise((resolve) => setTimeout(resolve, SAME_WISH_MS + 100));
    tree.kill('SIGINT');
    expect(await tree.exited).toBe(130);
    expect(tree.report).toEqual({ exitCode: 130, reason: 'forced' });
    expect(tree.everyPid.filter(isAlive)).toEqual([]);
  });

  test('one key press that arrives twice is one wish', async () => {
    const tree = await Tree.start(httpPlan({ numProcesses: 1 }));
    const slow = await begin(addressOf(tree), '/?id=slow&ms=400');
    tree.kill('SIGINT');
    tree.kill('SIGTERM');
    expect(await slow.answer).toMatchObject({ id: 'slow' });
    expect(await tree.exited).toBe(0);
  });

  test('Ctrl-C of a terminal does not reach the workers: each has a process group of its own', async () => {
    const tree = await Tree.start(httpPlan({ numProcesses: 1 }));
    const [pid = 0] = await tree.pids();
    const group = (of: number) =>
      Number(readFileSync(`/proc/${of}/stat`, 'latin1').split(') ')[1]?.split(' ')[2]);
    expect(group(pid)).toBe(pid);
    expect(group(tree.child.pid ?? 0)).not.toBe(pid);
    tree.kill('SIGTERM');
    expect(await tree.exited).toBe(0);
  });

  test('SIGHUP reloads; if that fails the old workers stay', async () => {
    const tree = await Tree.start(httpPlan({ numProcesses: 1, data: { failFromGeneration: 3 } }));
    tree.kill('SIGHUP');
    await tree.event('worker-exited', ({ generation }) => generation === 1);
    await tree.event('tree', ({ state }) => state === 'running', 2);
    tree.kill('SIGHUP');
    expect(await tree.event('warning')).toMatchObject({
      message: expect.stringContaining('generation 3 is broken'),
    });
    expect(await ask(addressOf(tree))).toMatchObject({ generation: 2 });
    tree.kill('SIGTERM');
    expect(await tree.exited).toBe(0);
  });
});
