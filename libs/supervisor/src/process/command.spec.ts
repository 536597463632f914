import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { get } from '../../test/load.js';
import { endTrees, eventually, fixture, isAlive, socketPath, Tree } from '../../test/tree.js';
import type { Plan, SocketSpec, WatcherSpec } from '../index.js';

afterEach(endTrees);

const folder = mkdtempSync(join(tmpdir(), 'supervisor-command-'));

/** A plan of one command that serves HTTP and knows nothing of us. */
function commandPlan(watcher: Partial<WatcherSpec> = {}, socket: Partial<SocketSpec> = {}): Plan {
  const program = { command: process.execPath, args: [fixture('command.mjs')], readiness: 'fd' } as const;
  return {
    name: 'test',
    sockets: [{ name: 'http', ...socket }],
    watchers: [{ name: 'any', numProcesses: 1, sockets: ['http'], graceMs: 8000, ...program, ...watcher }],
  };
}

/** A plan of one shell script. */
function shellPlan(script: string, watcher: Partial<WatcherSpec> = {}): Plan {
  const shell = { name: 'shell', command: 'sh', args: ['-c', script], numProcesses: 1, graceMs: 8000 };
  return { name: 'test', sockets: [{ name: 'http' }], watchers: [{ ...shell, ...watcher }] };
}

const tell = async (tree: Tree): Promise<Record<string, unknown>> => {
  const [socket] = tree.sockets;
  if (socket === undefined) throw new Error('the tree has no socket');
  return JSON.parse(await get(socket.address, '/'));
};

/** The pid that a program wrote into a file of its own. */
async function pidIn(file: string): Promise<number> {
  await eventually(() => existsSync(file) && readFileSync(file, 'utf8').endsWith('\n'));
  return Number(readFileSync(file, 'utf8'));
}

describe('a command', () => {
  test('finds its socket as systemd tells it, and has no channel', async () => {
    const tree = await Tree.start(commandPlan());
    const [pid] = await tree.pids();
    const listen = { pid, count: 1, names: 'http' };
    expect(await tell(tree)).toMatchObject({ pid, listen, hasChannel: false });
  });

  test('is told by placeholders who it is', async () => {
    const args = [fixture('command.mjs'), '$(worker.id)', 'g$(worker.generation)', '$(socket.http)', '$$(x)'];
    const env = { SAID: '$(notify.fd) $(env.WHERE)' };
    const tree = new Tree(commandPlan({ args, env }), {}, { env: { ...process.env, WHERE: 'here' } });
    await tree.event('worker-ready');
    await tree.until(() => (tree.sockets.length > 0 ? true : undefined));
    expect(await tell(tree)).toMatchObject({ args: ['1', 'g1', '3', '$(x)'], said: '4 here' });
  });

  test('is replaced when it crashes', async () => {
    const tree = await Tree.start(commandPlan());
    const [socket] = tree.sockets;
    if (socket !== undefined) await get(socket.address, '/crash').catch(() => undefined);
    expect(await tree.event('worker-exited')).toMatchObject({ code: 4, expected: false });
    await tree.event('worker-ready', ({ generation }) => generation === 2);
    const [pid] = await tree.pids();
    expect(await tell(tree)).toMatchObject({ pid });
  });

  test('is reloaded: its successor serves before it is told to stop', async () => {
    const tree = await Tree.start(commandPlan());
    const [before] = await tree.pids();
    await tree.ask('reload');
    const [after] = await tree.pids();
    expect(after).not.toBe(before);
    expect(await tell(tree)).toMatchObject({ pid: after });
    tree.kill('SIGTERM');
    expect(await tree.exited).toBe(0);
  });

  test.each([
    [undefined, 'SIGTERM'],
    ['SIGUSR2', 'SIGUSR2'],
  ] as const)('with stopSignal %s is stopped by %s', async (stopSignal, told) => {
    const file = join(folder, `${told}.log`);
    const tree = await Tree.start(commandPlan({ ...(stopSignal && { stopSignal }), output: { file } }));
    tree.kill('SIGTERM');
    expect(await tree.exited).toBe(0);
    expect(readFileSync(file, 'utf8')).toBe(`told ${told}\n`);
    expect(await tree.event('worker-exited')).toMatchObject({ code: 0, expected: true });
  });

  test('that does not stop is killed when the grace time is over', async () => {
    const tree = await Tree.start(commandPlan({ env: { SAID: 'deaf' }, graceMs: 300 }));
    tree.kill('SIGTERM');
    expect(await tree.exited).toBe(0);
    expect(await tree.event('worker-killed')).toMatchObject({ reason: 'grace time is over' });
  });

  test('is not ready before its newline', async () => {
    const tree = new Tree(commandPlan({ env: { SAID: 'never' }, readyTimeoutMs: 1000 }));
    expect(await tree.exited).toBe(7);
    expect(tree.startError?.message).toContain('was not ready within 1000 ms');
  });

  test('without a word is ready when it runs', async () => {
    const tree = await Tree.start(shellPlan('exec sleep 1000'));
    const [pid = 0] = await tree.pids();
    expect(isAlive(pid)).toBe(true);
  });

  test.each([
    ['no-such-program', 'no program is named'],
    [join(folder, 'nothing'), 'is no program that may be run'],
    [fixture('command.mjs'), 'is no program that may be run'],
  ])('that is no program, %s, is named by the failed start', async (command, message) => {
    const tree = new Tree(shellPlan('', { command }));
    expect(await tree.exited).toBe(7);
    expect(tree.startError?.message).toContain(message);
  });

  test('of a folder is looked up there', async () => {
    writeFileSync(join(folder, 'mine'), '#!/bin/sh\nexec sleep 1000\n', { mode: 0o755 });
    const tree = await Tree.start(shellPlan('', { command: './mine', cwd: folder }));
    expect((await tree.ask('status')).watchers[0]?.state).toBe('active');
  });
});

test('an entry gets its stopSignal beside the message, and drains', async () => {
  const file = join(folder, 'entry.log');
  const entry = fixture('identity-worker.mjs');
  const watcher: WatcherSpec = {
    name: 'entry',
    entry,
    numProcesses: 1,
    stopSignal: 'SIGUSR2',
    output: { file },
  };
  const tree = await Tree.start({ name: 'test', sockets: [{ name: 'http' }], watchers: [watcher] });
  tree.kill('SIGTERM');
  expect(await tree.exited).toBe(0);
  expect(readFileSync(file, 'utf8').split('\n').sort()).toEqual(['', 'drained', 'told SIGUSR2']);
  expect(await tree.event('worker-exited')).toMatchObject({ code: 0, expected: true });
});

describe('what a command started', () => {
  test('ends with it', async () => {
    const file = join(folder, 'left.pid');
    const tree = await Tree.start(shellPlan(`sleep 1000 & echo $! > ${file}; wait`));
    const grandchild = await pidIn(file);
    tree.kill('SIGTERM');
    expect(await tree.exited).toBe(0);
    await eventually(() => !isAlive(grandchild));
  });

  test('ends when the arbiter is killed, and no socket file stays', async () => {
    const [file, path] = [join(folder, 'orphan.pid'), socketPath()];
    const script = `trap '' TERM INT HUP; sleep 1000 & echo $! > ${file}; wait`;
    const shell = { name: 'shell', command: 'sh', args: ['-c', script], numProcesses: 2, sockets: ['http'] };
    const tree = await Tree.start({
      name: 'test',
      sockets: [{ name: 'http', path }],
      watchers: [shell],
    });
    const pids = [...(await tree.pids()), await pidIn(file)];
    expect(pids).toHaveLength(3);
    expect(pids.every(isAlive)).toBe(true);
    tree.kill('SIGKILL');
    await eventually(() => !pids.some(isAlive));
    await eventually(() => !existsSync(path));
  });

  test('ends when the arbiter is killed though its guard was killed before', async () => {
    const tree = await Tree.start(shellPlan('exec sleep 1000'));
    const [pid = 0] = await tree.pids();
    const guards = () => childrenOf(tree.child.pid ?? 0).filter((child) => child !== pid);
    const [guard = 0] = guards();
    process.kill(guard, 'SIGKILL');
    await eventually(() => guards().some((child) => child !== guard && isAlive(child)));
    expect(isAlive(pid)).toBe(true);
    tree.kill('SIGKILL');
    await eventually(() => !isAlive(pid));
  });

  test('a guard is gone when its command is', async () => {
    const tree = await Tree.start(shellPlan('exec sleep 1000'));
    const children = childrenOf(tree.child.pid ?? 0);
    expect(children).toHaveLength(2);
    tree.kill('SIGTERM');
    expect(await tree.exited).toBe(0);
    await eventually(() => !children.some(isAlive));
  });
});

const identity = { uid: 12_345, gid: 23_456, umask: 0o27 };

/** Whether the other user could read the programs of this test: a checkout may lie in somebody's private folder. */
function canRead(file: string): boolean {
  const source = "require('node:fs').readFileSync(process.argv[1])";
  const options = { uid: identity.uid, gid: identity.gid, cwd: '/' };
  return spawnSync(process.execPath, ['-e', source, file], options).status === 0;
}

const isPossible = process.getuid?.() === 0 && canRead(fixture('identity-worker.mjs'));

describe.skipIf(!isPossible)('with the uid, gid and umask of the plan', () => {
  test('runs a command', async () => {
    const tree = await Tree.start(commandPlan(identity));
    expect(await tell(tree)).toMatchObject(identity);
  });

  test('runs an entry', async () => {
    const entry = fixture('identity-worker.mjs');
    const spec = { name: 'entry', entry, numProcesses: 1, ...identity };
    const tree = await Tree.start({ name: 'test', sockets: [{ name: 'http' }], watchers: [spec] });
    expect((await tree.event('worker-ready')).info).toEqual(identity);
  });
});

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.trim().split(/\s+/).filter(Boolean).map(Number);
}
