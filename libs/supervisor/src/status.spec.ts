import net from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { ask } from '../test/load.js';
import { endTrees, eventually, httpPlan, Tree } from '../test/tree.js';
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

/** Waits until the status of the only worker passes. */
async function statusThat(tree: Tree, passes: (worker: WorkerStatus) => boolean): Promise<WorkerStatus> {
  await eventually(async () => passes(await workerOf(tree)), 20_000);
  return workerOf(tree);
}

describe('the status of a worker', () => {
  test('tells memory, CPU, utilization and lag from the first beat on, also when no heartbeat is asked for', async () => {
    const tree = await Tree.start(httpPlan({ numProcesses: 1, heartbeatLimitMs: 0 }));
    const early = await workerOf(tree);
    const startedAt = Date.parse(early.startedAt ?? '');
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(0);
    expect(early.uptimeMs).toBeGreaterThan(early.readyForMs);
    const late = await statusThat(tree, ({ beat }) => beat !== undefined);
    expect(late.rssBytes).toBeGreaterThan(20e6);
    expect(late.beat?.heapBytes).toBeGreaterThan(1e6);
    expect(late.cpu).toBeGreaterThan(0);
    expect(late.utilization).toBeLessThanOrEqual(1);
    expect(late.heartbeatLagMs).toBeGreaterThanOrEqual(0);
    expect(late.startedAt).toBe(early.startedAt);
  });

  test.each(['shared', 'balanced'] as const)(
    'counts the open connections of a %s socket, and those that ended no more',
    async (accept) => {
      const tree = await Tree.start(httpPlan({ numProcesses: 1 }, { accept }));
      const clients = [0, 1, 2].map(() => net.connect(tree.port));
      await statusThat(tree, ({ connections }) => connections === 3);
      clients[0]?.destroy();
      await statusThat(tree, ({ connections }) => connections === 2);
      for (const client of clients) client.destroy();
      await statusThat(tree, ({ connections }) => connections === 0);
    },
  );

  test('tells the longest wait for the event loop, though every beat was in time', async () => {
    const tree = await Tree.start(httpPlan({ numProcesses: 1 }));
    const { beat } = await statusThat(tree, ({ beat }) => beat !== undefined);
    // Right after a beat, so that the block is over before the next one is due.
    await ask(addressOf(tree), '/block?ms=300');
    const { lagMs } = await statusThat(tree, (worker) => (worker.beat?.lagMs ?? 0) >= 250);
    expect(lagMs).toBeGreaterThanOrEqual(250);
    expect(beat).toBeDefined();
  });

  test('tells a growing lag while the event loop is blocked', async () => {
    const tree = await Tree.start(httpPlan({ numProcesses: 1 }));
    await statusThat(tree, ({ beat }) => beat !== undefined);
    ask(addressOf(tree), '/block?ms=60000').catch(() => undefined);
    const first = await statusThat(tree, ({ lagMs = 0 }) => lagMs > 300);
    await statusThat(tree, ({ lagMs = 0 }) => lagMs > (first.lagMs ?? 0) + 200);
    expect((await workerOf(tree)).heartbeatLagMs).toBeGreaterThan(300);
  });

  test('tells how its last process ended, and how often it was started again and why', async () => {
    const tree = await Tree.start(httpPlan({ numProcesses: 1, data: { quietMs: 1 } }));
    expect(await workerOf(tree)).toMatchObject({ restarts: 0, restartsByReason: {} });
    expect((await workerOf(tree)).lastExit).toBeUndefined();
    const [pid = 0] = await tree.pids();
    process.kill(pid, 'SIGKILL');
    await tree.event('worker-ready', ({ generation }) => generation === 2);
    const { lastExit } = await workerOf(tree);
    expect(lastExit).toMatchObject({ code: null, signal: 'SIGKILL', reason: 'crashed' });
    expect(Date.now() - Date.parse(lastExit?.at ?? '')).toBeGreaterThanOrEqual(0);
    await tree.ask('reload');
    const after = await workerOf(tree);
    expect(after).toMatchObject({ restarts: 1, restartsByReason: { crashed: 1, reload: 1 } });
    expect(after.lastExit).toMatchObject({ code: 0, signal: null, reason: 'asked' });
  });
});
