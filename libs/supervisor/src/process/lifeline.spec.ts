import { existsSync, unlinkSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { ask, begin } from '../../test/load.js';
import { endTrees, eventually, httpPlan, isAlive, socketPath, Tree } from '../../test/tree.js';

afterEach(endTrees);

describe('an arbiter that is killed', () => {
  test.each(['idle', 'blocked'])(
    'takes workers with it that are %s, grandchildren, and its socket file',
    async (kind) => {
      const path = socketPath();
      const tree = await Tree.start(httpPlan({ data: { grandchild: true } }, { path }));
      const ready = await tree.event('worker-ready', () => true, 2);
      const { grandchild } = ready.info as { grandchild: number };
      const pids = await tree.pids();
      if (kind === 'blocked') {
        // One after the other: whoever is blocked already accepts no second one.
        for (const _ of pids) await begin({ path }, '/block?ms=60000');
      }
      expect(pids.every(isAlive)).toBe(true);
      tree.kill('SIGKILL');
      const tookMs = await eventually(() => ![...pids, grandchild].some(isAlive));
      expect(tookMs).toBeLessThan(10_000);
      await eventually(() => !existsSync(path));
    },
  );

  test('takes workers with it that are only starting', async () => {
    const tree = new Tree(httpPlan({ data: { neverReady: true } }));
    await tree.event('worker-started', () => true, 2);
    tree.kill('SIGKILL');
    await tree.exited;
    await eventually(() => !tree.everyPid.some(isAlive));
  });

  test('does not remove the socket file of the next one', async () => {
    const path = socketPath();
    const first = await Tree.start(httpPlan({ numProcesses: 1 }, { path }));
    // A stopped worker does not see the end of its arbiter until it goes on.
    const [pid = 0] = await first.pids();
    process.kill(pid, 'SIGSTOP');
    first.kill('SIGKILL');
    await first.exited;
    unlinkSync(path);
    const second = await Tree.start(httpPlan({ numProcesses: 1 }, { path }));
    process.kill(pid, 'SIGCONT');
    await eventually(() => !isAlive(pid));
    expect(await ask({ path })).toMatchObject({ generation: 1 });
    second.kill('SIGTERM');
    expect(await second.exited).toBe(0);
  });
});
