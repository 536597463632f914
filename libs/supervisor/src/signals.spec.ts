import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { ask, begin } from '../test/load.js';
import { Printed } from '../test/printed.js';
import { endTrees, fixture, httpPlan, isAlive, Tree } from '../test/tree.js';
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
    // Time has to pass: earlier it would be the same wish.
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

  test('Ctrl-C at a real terminal answers what is in flight', async () => {
    // `script` gives the tree a terminal of its own; the key press is the byte that a keyboard sends.
    const plan = JSON.stringify(httpPlan({ numProcesses: 1 }));
    const command = `exec '${process.execPath}' '${fixture('tree-main.mjs')}' '${plan}' '{"print":true}'`;
    const terminal = spawn('script', ['-qec', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
    const printed = new Printed(terminal.stdout);
    const port = Number((await printed.match(/"sockets":\[\{.*"port":(\d+)/))[1]);
    const slow = await begin({ host: '127.0.0.1', port }, '/?id=slow&ms=1000');
    terminal.stdin.write('\x03');
    await printed.match(/"signal":"SIGINT","effect":"stop"/);
    expect(await slow.answer).toMatchObject({ id: 'slow' });
    const [code] = await once(terminal, 'exit');
    expect(code).toBe(0);
    expect((await printed.match(/"type":"worker-exited".*/))[0]).toContain('"code":0');
  });

  test('a signal to the whole process group of the foreground answers what is in flight', async () => {
    const tree = await Tree.start(httpPlan(), {}, { detached: true });
    const slow = await begin(addressOf(tree), '/?id=slow&ms=800');
    process.kill(-(tree.child.pid ?? 0), 'SIGINT');
    expect(await slow.answer).toMatchObject({ id: 'slow' });
    expect(await tree.exited).toBe(0);
    const exits = tree.events.filter((event) => event.type === 'worker-exited');
    expect(exits).toMatchObject([
      { code: 0, reason: 'asked' },
      { code: 0, reason: 'asked' },
    ]);
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
