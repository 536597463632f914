import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { controlPath, RawClient } from '../../test/control.js';
import { endTrees, eventually, httpPlan, isAlive, Tree } from '../../test/tree.js';
import { Arbiter } from '../arbiter.js';
import type { SupervisorEvent } from '../events.js';
import type { ControlSpec, Plan } from '../plan.js';
import type { TimedEvent } from './protocol.js';
import { TreeClient } from './tree-client.js';

afterEach(endTrees);

const withControl = (control: ControlSpec, numProcesses = 1): Plan => ({
  ...httpPlan({ numProcesses }),
  control,
});
const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);
const isRoot = process.geteuid?.() === 0;

describe('the file', () => {
  test('is there for nobody else from before the workers until the tree has stopped', async () => {
    const path = controlPath();
    const tree = new Tree(withControl({ path }));
    await tree.event('worker-started');
    expect([modeOf(path), modeOf(dirname(path))]).toEqual(['600', '700']);
    await tree.event('worker-ready');
    tree.kill('SIGTERM');
    await tree.event('worker-draining');
    expect(existsSync(path)).toBe(true);
    expect(await tree.exited).toBe(0);
    expect(existsSync(path)).toBe(false);
  });

  test('goes with an arbiter that is killed', async () => {
    const path = controlPath();
    const tree = await Tree.start(withControl({ path }));
    tree.kill('SIGKILL');
    await eventually(() => !existsSync(path));
    await eventually(() => !tree.everyPid.some(isAlive));
  });

  test('goes when the tree cannot start', async () => {
    const path = controlPath();
    const first = await Tree.start(httpPlan({ numProcesses: 1 }));
    const second = new Tree({ ...httpPlan({}, { port: first.port }), control: { path } });
    expect(await second.exited).toBe(5);
    expect(existsSync(path)).toBe(false);
  });

  test.runIf(isRoot)('lets no other user in, even if the folder does', async () => {
    const path = controlPath();
    await Tree.start(withControl({ path }));
    for (const folder of [dirname(path), dirname(dirname(path))]) chmodSync(folder, 0o755);
    const source = `require('net').connect(process.argv[1]).on('connect', () => process.exit(1))
      .on('error', ({ code }) => { console.log(code); })`;
    const other = spawnSync(process.execPath, ['-e', source, path], {
      uid: 65_534,
      encoding: 'utf8',
      cwd: '/',
    });
    expect(other).toMatchObject({ status: 0, stdout: 'EACCES\n' });
  });

  test('has a place of its own for each tree of a process when the path has $(pid)', async () => {
    const path = join(dirname(controlPath()), 'tree.$(pid).sock');
    const events: SupervisorEvent[] = [];
    const plan: Plan = { name: 'twin', sockets: [], watchers: [], control: { path } };
    const twins = [0, 1].map(() => new Arbiter(plan, { onEvent: (event) => events.push(event) }));
    await Promise.all(twins.map((twin) => twin.start()));
    const paths = [`${process.pid}`, `${process.pid}-2`].map((id) => path.replace('$(pid)', id));
    const bound = events.flatMap((event) => (event.type === 'socket-bound' ? event.socket.address : []));
    expect(new Set(bound)).toEqual(new Set(paths.map((path) => ({ path })))); // whichever was faster
    expect(paths.map(existsSync)).toEqual([true, true]);
    await twins[0]?.stop();
    expect(paths.map(existsSync)).toEqual([false, true]);
    await twins[1]?.stop();
  });
});

describe('a socket that cannot be made', () => {
  const taken = (): string => {
    const path = controlPath();
    mkdirSync(dirname(path));
    writeFileSync(path, '');
    return path;
  };
  const open = (): string => {
    const path = controlPath();
    mkdirSync(dirname(path));
    chmodSync(dirname(path), 0o777);
    return path;
  };
  const cases: readonly [string, () => string, RegExp][] = [
    ['another file', taken, /exists and is no socket/],
    ['a folder that others may change', open, /another user could replace/],
    ['a folder in no folder', () => join(controlPath(), 'tree.sock'), /cannot be made \(Error: ENOENT/],
    ['a path that is too long', () => `${controlPath()}${'x'.repeat(100)}`, /at most 107/],
  ];

  test.each(cases)('%s: the tree does not start, and says why', async (_, makePath, message) => {
    const tree = new Tree(withControl({ path: makePath() }));
    expect(await tree.exited).toBe(5);
    expect(tree.startError).toMatchObject({ code: 'address_unavailable' });
    expect(tree.startError?.message).toMatch(message);
  });

  test('the tree starts without it when it is optional, and warns', async () => {
    const tree = await Tree.start(withControl({ path: taken(), optional: true }));
    const warning = await tree.event('warning');
    expect(warning.message).toMatch(/^this tree has no control socket: .* is no socket/);
    tree.kill('SIGTERM');
    expect(await tree.exited).toBe(0);
  });

  test('a relative path is a mistake in the plan', () => {
    const plan: Plan = { name: 'x', sockets: [], watchers: [], control: { path: 'x.sock' } };
    expect(() => new Arbiter(plan)).toThrow(/control: path 'x.sock' must be an absolute path/);
  });
});

describe('a client of a tree', () => {
  test('sees status, list and stats', async () => {
    const path = controlPath();
    const tree = await Tree.start(withControl({ path }, 2));
    const pids = await tree.pids();
    const client = await TreeClient.connect(path);
    expect(await client.request('status', {})).toMatchObject({
      name: 'test',
      state: 'running',
      pid: tree.child.pid,
      sockets: tree.sockets,
      watchers: [{ name: 'web', numProcesses: 2, workers: pids.map((pid) => ({ pid, state: 'ready' })) }],
    });
    expect(await client.request('list', {})).toEqual({
      watchers: [{ name: 'web', state: 'active', numProcesses: 2, ready: 2, pids }],
    });
    await eventually(async () => {
      const { workers } = await client.request('stats', {});
      expect(workers).toMatchObject(pids.map((pid) => ({ watcher: 'web', pid, restarts: 0 })));
      return workers.every(
        ({ rssBytes = 0, lagMs, cpu }) => rssBytes > 1e6 && lagMs !== undefined && cpu !== undefined,
      );
    });
    client.close();
  });

  test('restarts one worker: the others stay', async () => {
    const path = controlPath();
    const tree = await Tree.start(withControl({ path }, 2));
    const [first, second] = await tree.pids();
    const client = await TreeClient.connect(path);
    await client.request('restart', { watcher: 'web', worker: 2 });
    const [still, replaced] = await tree.pids();
    expect(still).toBe(first);
    expect(replaced).not.toBe(second);
    client.close();
  });

  test('reloads: every process is another one', async () => {
    const path = controlPath();
    const tree = await Tree.start(withControl({ path }, 2));
    const before = await tree.pids();
    const client = await TreeClient.connect(path);
    await client.request('reload', { watcher: 'web' });
    const after = await tree.pids();
    expect(after.filter((pid) => before.includes(pid))).toEqual([]);
    expect(after).toHaveLength(2);
    client.close();
  });

  test('changes the number of workers; what comes at once is done one after the other', async () => {
    const path = controlPath();
    const tree = await Tree.start(withControl({ path }));
    const client = await TreeClient.connect(path);
    const wishes = [
      client.request('incr', { watcher: 'web' }),
      client.request('incr', { watcher: 'web', count: 2 }),
      client.request('decr', { watcher: 'web' }),
    ];
    expect(await Promise.all(wishes)).toEqual([2, 4, 3].map((numProcesses) => ({ numProcesses })));
    expect(await client.request('set', { watcher: 'web', numProcesses: 2 })).toEqual({ numProcesses: 2 });
    expect(await tree.pids()).toHaveLength(2);
    const failed = client.request('incr', { watcher: 'wev' });
    await expect(failed).rejects.toMatchObject({ code: 'not_found', message: /'wev'.*web/ });
    client.close();
  });

  test('signals one worker', async () => {
    const path = controlPath();
    const tree = await Tree.start(withControl({ path }, 2));
    const [, second] = await tree.pids();
    const client = await TreeClient.connect(path);
    expect(await client.request('signal', { signal: 'SIGKILL', watcher: 'web', worker: 2 })).toEqual({
      signalled: 1,
    });
    expect(await tree.event('worker-exited')).toMatchObject({ pid: second, signal: 'SIGKILL' });
    client.close();
  });

  test.each([
    [{}, 0],
    [{ force: true }, 130],
  ])('stops the tree with %j: told as events to the very end', async (args, code) => {
    const path = controlPath();
    const tree = await Tree.start(withControl({ path }));
    const client = await TreeClient.connect(path);
    const seen: TimedEvent[] = [];
    await client.follow(0, (event) => seen.push(event));
    await client.request('stop', args);
    await client.closed;
    expect(await tree.exited).toBe(code);
    expect(seen.map(({ event }) => (event.type === 'tree' ? event.state : event.type))).toEqual(
      expect.arrayContaining(['control', 'stopping', 'worker-exited', 'stopped']),
    );
    expect(seen.at(-1)?.event).toMatchObject({ type: 'tree', state: 'stopped' });
  });

  test('sees what happened before it came', async () => {
    const path = controlPath();
    const tree = await Tree.start(withControl({ path }));
    const client = await TreeClient.connect(path);
    const { events } = await client.request('events', { last: 256 });
    expect(events.map(({ event }) => event.type)).toEqual(tree.events.map(({ type }) => type));
    client.close();
  });

  test('is told when the tree goes away under its request', async () => {
    const path = controlPath();
    const tree = await Tree.start(withControl({ path }));
    const client = await TreeClient.connect(path);
    tree.kill('SIGSTOP');
    const asked = client.request('status', {});
    tree.kill('SIGKILL');
    await expect(asked).rejects.toMatchObject({ code: 'unavailable' });
    await client.closed;
    await expect(client.request('status', {})).rejects.toMatchObject({ code: 'unavailable' });
    await tree.exited;
    await expect(TreeClient.connect(path)).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('that stays connected does not keep a stopped tree alive', async () => {
    const path = controlPath();
    const tree = await Tree.start(withControl({ path }));
    const client = await RawClient.connect(path);
    await client.ask({ id: 1, command: 'events', follow: true });
    client.socket.pause();
    tree.kill('SIGTERM');
    expect(await tree.exited).toBe(0);
    client.socket.destroy();
  });
});
