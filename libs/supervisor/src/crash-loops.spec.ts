import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { get } from '../test/load.js';
import { endTrees, eventually, httpPlan, Tree } from '../test/tree.js';
import { CrashLoops } from './crash-loops.js';
import type { SupervisorEvent } from './events.js';

afterEach(endTrees);

type Kind = 'crash-loop' | 'worker-ready' | 'worker-exited';

const event = (type: Kind, workerId = 1, watcher = 'web', expected = false): SupervisorEvent => {
  const worker = { watcher, workerId, generation: 1, pid: 1 };
  if (type === 'crash-loop') return { type, ...worker, crashes: 6, windowMs: 60_000 };
  if (type === 'worker-ready') return { type, ...worker, tookMs: 1, info: null };
  return { type, ...worker, code: 1, signal: null, expected, reason: 'crashed', livedMs: 1 };
};

describe('CrashLoops', () => {
  const changes: string[] = [];
  const create = (): CrashLoops => {
    const loops = new CrashLoops(
      ['web', 'api'].map((name) => ({ name, restart: { resetAfterMs: 1000 } })),
      () => changes.push(loops.watchers.join()),
    );
    return loops;
  };
  beforeEach(() => {
    changes.length = 0;
    vi.useFakeTimers();
    return () => vi.useRealTimers();
  });

  test('a watcher is named once, and as long as one of its workers loops', () => {
    const loops = create();
    for (const id of [1, 2, 1]) loops.observe(event('crash-loop', id));
    loops.observe(event('crash-loop', 1, 'api'));
    expect(loops.watchers).toEqual(['api', 'web']);
    loops.observe(event('worker-ready', 1));
    vi.advanceTimersByTime(1000);
    expect(loops.watchers).toEqual(['api', 'web']);
    loops.observe(event('worker-ready', 2));
    vi.advanceTimersByTime(1000);
    expect(loops.watchers).toEqual(['api']);
  });

  test('a worker that gets ready and crashes again is not trusted in between', () => {
    const loops = create();
    loops.observe(event('crash-loop'));
    loops.observe(event('worker-ready'));
    vi.advanceTimersByTime(999);
    loops.observe(event('worker-exited'));
    vi.advanceTimersByTime(5000);
    loops.observe(event('crash-loop'));
    expect(changes).toEqual(['web']);
  });

  test('a worker that is asked to go is forgotten', () => {
    const loops = create();
    loops.observe(event('crash-loop'));
    loops.observe(event('worker-exited', 1, 'web', true));
    expect(changes).toEqual(['web', '']);
  });

  test('workers that never looped are none of its business', () => {
    const loops = create();
    loops.observe(event('worker-ready'));
    loops.observe(event('worker-exited'));
    vi.advanceTimersByTime(5000);
    expect(changes).toEqual([]);
  });
});

test("every worker is told which watchers crash again and again, and when they don't any more", async () => {
  const { sockets, watchers, ...plan } = httpPlan({ numProcesses: 1 });
  const crashing = httpPlan({
    name: 'sick',
    sockets: [],
    data: { noSocket: true, crashAfterMs: 0, calmFromGeneration: 4 },
  });
  const restart = {
    initialDelayMs: 1,
    maxDelayMs: 500,
    maxCrashes: 1,
    onCrashLoop: 'keep',
    resetAfterMs: 500,
  } as const;
  const tree = await Tree.start({
    ...plan,
    sockets: [...sockets],
    watchers: [
      ...watchers,
      ...crashing.watchers.map((watcher) => ({ ...watcher, numProcesses: 1, restart })),
    ],
  });
  const [socket] = tree.sockets;
  if (socket === undefined) throw new Error('the tree has no socket');
  const isTold = async (names: string): Promise<boolean> =>
    (await get(socket.address, '/readyz')).includes(`"crashLooping":${names}`);
  await tree.event('crash-loop');
  await eventually(() => isTold('["sick"]'), 10_000);
  await tree.event('worker-ready', ({ watcher, generation }) => watcher === 'sick' && generation === 4);
  await eventually(() => isTold('[]'), 10_000);
});
