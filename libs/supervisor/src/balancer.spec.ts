import net from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { ask, type Answer } from '../test/load.js';
import { endTrees, fixture, httpPlan, socketPath, Tree } from '../test/tree.js';

afterEach(endTrees);

/** A connection that stays open: sends one request, and tells who answered. */
function hold(address: Parameters<typeof ask>[0]): Promise<{ socket: net.Socket; answer: Answer }> {
  return new Promise((resolve, reject) => {
    const socket = net.connect('path' in address ? { path: address.path } : address, () => {
      socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    });
    socket.once('error', reject);
    socket.once('data', (data) => {
      const body = data.toString().split('\r\n\r\n')[1] ?? '';
      resolve({
        socket,
        answer: JSON.parse(body.slice(body.indexOf('{'), body.lastIndexOf('}') + 1)) as Answer,
      });
    });
  });
}

function countByWorker(answers: readonly Answer[]): number[] {
  const counts = new Map<number, number>();
  for (const { workerId } of answers) counts.set(workerId, (counts.get(workerId) ?? 0) + 1);
  return [...counts.values()].sort((a, b) => a - b);
}

describe('balanced sockets', () => {
  test.each(['TCP', 'unix'])('%s: 64 long-lived connections are spread 16, 16, 16, 16', async (kind) => {
    const socket = kind === 'unix' ? { path: socketPath(), accept: 'balanced' } : { accept: 'balanced' };
    const tree = await Tree.start(httpPlan({ numProcesses: 4 }, socket as { accept: 'balanced' }));
    const [bound] = tree.sockets;
    if (bound === undefined) throw new Error('no socket');
    const held = await Promise.all(Array.from({ length: 64 }, () => hold(bound.address)));
    expect(countByWorker(held.map(({ answer }) => answer))).toEqual([16, 16, 16, 16]);
    // The worker that loses connections is the one that gets the next.
    for (const { socket: one, answer } of held) if (answer.workerId === 3) one.destroy();
    await waitForConnections(tree, 3, 0);
    const next = await Promise.all(Array.from({ length: 16 }, () => hold(bound.address)));
    expect(next.map(({ answer }) => answer.workerId)).toEqual(Array.from({ length: 16 }, () => 3));
    for (const { socket: one } of [...held, ...next]) one.destroy();
    tree.kill('SIGTERM');
    expect(await tree.exited).toBe(0);
  });

  test('200 fresh connections, a few at a time, are spread evenly', async () => {
    const tree = await Tree.start(httpPlan({ numProcesses: 4 }, { accept: 'balanced' }));
    const [bound] = tree.sockets;
    if (bound === undefined) throw new Error('no socket');
    const answers: Answer[] = [];
    const client = async (): Promise<void> => {
      for (let left = 25; left > 0; left -= 1) answers.push(await ask(bound.address));
    };
    await Promise.all(Array.from({ length: 8 }, client));
    // A worker that is slower has connections open for longer, and gets fewer.
    const counts = countByWorker(answers);
    expect(counts).toHaveLength(4);
    expect(counts[0]).toBeGreaterThanOrEqual(25);
    expect(counts[3]).toBeLessThanOrEqual(100);
    tree.kill('SIGTERM');
    expect(await tree.exited).toBe(0);
  });

  test('connections that come while no worker is ready wait for one', async () => {
    const tree = await Tree.start(httpPlan({ numProcesses: 1 }, { accept: 'balanced' }));
    const [bound] = tree.sockets;
    if (bound === undefined) throw new Error('no socket');
    const [pid = 0] = await tree.pids();
    process.kill(pid, 'SIGKILL');
    await tree.event('worker-exited');
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(bound.address)));
    expect(countByWorker(answers)).toEqual([20]);
    expect(new Set(answers.map((answer) => answer.generation))).toEqual(new Set([2]));
    tree.kill('SIGTERM');
    expect(await tree.exited).toBe(0);
  });

  test('a client that half-closes is answered, as on a connection that the worker accepted itself', async () => {
    const watcher = { entry: fixture('plain-worker.mjs'), numProcesses: 1, sockets: ['inner'] };
    const tree = await Tree.start(httpPlan(watcher, { name: 'inner', accept: 'balanced' }));
    const said = await new Promise<string>((resolve, reject) => {
      const socket = net.connect({ port: tree.port, host: '127.0.0.1', allowHalfOpen: true });
      socket.end('all that I have to say');
      socket.once('data', (data) => resolve(data.toString()));
      socket.once('end', () => resolve(''));
      socket.once('error', reject);
    });
    expect(said).toBe('all that I have to say');
    tree.kill('SIGTERM');
    expect(await tree.exited).toBe(0);
  });
});

async function waitForConnections(tree: Tree, workerId: number, count: number): Promise<void> {
  for (;;) {
    const { watchers } = await tree.ask('status');
    if (watchers[0]?.workers[workerId - 1]?.connections === count) return;
  }
}
