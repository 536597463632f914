import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { controlPath } from '../../test/control.js';
import { endTrees, eventually, httpPlan, Tree } from '../../test/tree.js';
import { findTrees } from './find-trees.js';
import { TreeClient } from './tree-client.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'trees-'));
});
afterEach(endTrees);

/** Leaves a socket file on which nobody listens; returns the process that made it. */
function leaveSocket(name: string): number {
  const source = `const server = require('net').createServer();
    server.listen(process.argv[1].replace('$(pid)', process.pid), () => process.kill(process.pid, 'SIGKILL'));`;
  return spawnSync(process.execPath, ['-e', source, join(folder, name)]).pid;
}

const startTree = (name: string): Promise<Tree> =>
  Tree.start({
    ...httpPlan({ numProcesses: 1 }),
    name,
    control: { path: join(folder, `${name}.$(pid).sock`) },
  });

test('every live tree is found by name and pid; each answers for itself', async () => {
  const [blue, red] = await Promise.all([startTree('serve:blue'), startTree('serve:red')]);
  const entry = (name: string, tree: Tree) => ({
    name,
    pid: tree.child.pid,
    state: 'running',
    path: join(folder, `${name}.${tree.child.pid}.sock`),
  });
  expect(await findTrees(folder)).toEqual([entry('serve:blue', blue), entry('serve:red', red)]);
  red.kill('SIGTERM');
  await red.exited;
  expect(await findTrees(folder)).toEqual([entry('serve:blue', blue)]);
});

test('the socket of a process that is gone is removed; one that may just be starting stays', async () => {
  const gone = leaveSocket('tree.$(pid).sock');
  leaveSocket(`starting.${process.pid}.sock`);
  leaveSocket('unnamed.sock');
  expect(existsSync(join(folder, `tree.${gone}.sock`))).toBe(true);
  expect(await findTrees(folder)).toEqual([]);
  expect(readdirSync(folder).sort()).toEqual([`starting.${process.pid}.sock`, 'unnamed.sock']);
});

test('a tree that accepts and says nothing is shown as silent, and keeps its file', async () => {
  const tree = await startTree('serve:stuck');
  tree.kill('SIGSTOP');
  expect(await findTrees(folder)).toEqual([
    expect.objectContaining({ name: 'serve:stuck', pid: tree.child.pid, state: 'silent' }),
  ]);
  tree.kill('SIGCONT');
  await eventually(async () => (await findTrees(folder))[0]?.state === 'running');
});

describe('nothing is found', () => {
  test('where there is no folder', async () => {
    expect(await findTrees(dirname(controlPath()))).toEqual([]);
  });

  test('in a folder that others may change', async () => {
    await startTree('serve:blue');
    chmodSync(folder, 0o777);
    expect(await findTrees(folder)).toEqual([]);
    chmodSync(folder, 0o700);
    expect(await findTrees(folder)).toHaveLength(1);
  });

  test('behind a socket that speaks another language', async () => {
    const server = net.createServer((socket) => socket.end('220 mail ready\r\n'));
    const path = join(folder, 'mail.1.sock');
    await new Promise<void>((resolve) => server.listen(path, resolve));
    expect(await findTrees(folder)).toEqual([]);
    const client = await TreeClient.connect(path);
    await expect(client.request('status', {})).rejects.toMatchObject({ code: 'protocol_error' });
    server.close();
  });

  test('in files and folders that only have such a name', async () => {
    mkdirSync(join(folder, 'folder.1.sock'));
    expect(await findTrees(folder)).toEqual([]);
  });
});
