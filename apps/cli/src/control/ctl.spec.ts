import { once } from 'node:events';
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { Host, type Outcome } from '../../test/commands.js';

const linear = fileURLToPath(new URL('../../../../examples/linear', import.meta.url));
const SERVE = ['serve', linear, '--port', '0', '--no-grpc', '--api-workers', '1'];
const RUNNER = ['start-runner-server', linear, '--runner-name', 'matmul'];

/** Each command is a process that starts anew, which takes seconds where many run at once. */
const MANY_COMMANDS_MS = 180_000;

const host = new Host();
const ctl = (...args: string[]): Promise<Outcome> => host.run(['ctl', ...args]);
const say = (stdout: string): Outcome => ({ code: 0, stdout, stderr: '' });
const folder = join(host.runtimeDir, `bentots-${process.geteuid?.()}`);

async function json(...args: string[]): Promise<unknown> {
  const { code, stdout, stderr } = await ctl(...args, '--json');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout);
}

interface Worker {
  readonly pid: number;
  readonly generation: number;
}

async function workersOf(watcher: string): Promise<readonly Worker[]> {
  const { watchers } = (await json('status')) as { watchers: { name: string; workers: Worker[] }[] };
  return watchers.find(({ name }) => name === watcher)?.workers ?? [];
}

afterAll(async () => {
  await host.end();
  rmSync(host.runtimeDir, { recursive: true, force: true });
});

describe('without a server', () => {
  test('it says so, and where it looked', async () => {
    const { code, stderr } = await ctl('status');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: no server is running .* \(looked in /);
    expect(stderr).toContain(folder);
    expect(await ctl('trees')).toEqual(say('no server is running\n'));
    expect(await json('trees')).toEqual([]);
  });

  test.each([
    [['ctl', 'halt'], /unknown command 'halt'[^]*bentots ctl --help/],
    [['ctl', 'incr'], /missing required argument 'watcher'[^]*bentots ctl incr --help/],
    [['ctl', 'status', '--all'], /unknown option '--all'/],
    [['top', '--tree', '/no/such.sock', '--interval', '1'], /^error: no tree answers at '\/no\/such.sock'/],
  ])('%j is a mistake that is explained', async (args, message) => {
    const { code, stderr } = await host.run(args);
    expect(code).toBe(args.includes('top') ? 1 : 2);
    expect(stderr).toMatch(message);
  });

  test('help has examples', async () => {
    for (const name of ['ctl', 'top']) {
      const { code, stdout } = await host.run([name, '--help']);
      expect(code).toBe(0);
      expect(stdout).toMatch(new RegExp(`Examples:\\n  \\$ bentots ${name}`));
    }
  });
});

describe('with one server', () => {
  beforeAll(async () => {
    await host.serve(SERVE);
  }, MANY_COMMANDS_MS);

  test('its socket is in the runtime directory, for nobody else', () => {
    const names = readdirSync(folder);
    expect(names).toEqual([expect.stringMatching(/^serve:linear\.\d+\.sock$/)]);
    expect(statSync(join(folder, names[0] ?? '')).mode & 0o777).toBe(0o600);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  test('status, list and stats are tables for people', { timeout: MANY_COMMANDS_MS }, async () => {
    const [worker] = await workersOf('http_api');
    const status = await ctl('status');
    expect(status.stdout).toMatch(
      /^serve:linear {2}running {2}pid \d+\n {2}runner:matmul {2}\/.*\n {2}http {2}127/,
    );
    expect(status.stdout).toMatch(new RegExp(`^http_api +1 +ready +${worker?.pid} +\\d.*s +1 +0$`, 'm'));
    const list = await ctl('list');
    expect(list.stdout).toMatch(new RegExp(`^http_api +active +1/1 +${worker?.pid}$`, 'm'));
    // Figures come with the first beat.
    const row = /^http_api +1 +ready +\d+ +\d+% +\d+ MiB +[\d.]+ms +\d+% +0 +0 +\d.*s$/m;
    await expect.poll(async () => (await ctl('stats')).stdout, { timeout: 15_000 }).toMatch(row);
    const { stdout } = await ctl('stats');
    expect(stdout).toMatch(/^WATCHER +# +STATE +PID +CPU +RSS +LAG +LOOP +CONN +RESTARTS +UP$/m);
    expect(stdout).not.toContain('\u001b');
  });

  test(
    'top --once prints one frame into a pipe; without it, a terminal is needed',
    { timeout: MANY_COMMANDS_MS },
    async () => {
      const once = await host.run(['top', '--once']);
      expect(once).toMatchObject({ code: 0, stderr: '' });
      expect(once.stdout).toMatch(
        /^serve:linear {2}running {2}pid \d+ {2}up .* {2}arbiter \d+ MiB\n\nWATCHER/,
      );
      expect(once.stdout).not.toContain('\u001b');
      const live = await host.run(['top']);
      expect(live).toMatchObject({ code: 2, stdout: '' });
      expect(live.stderr).toContain('standard output is no terminal; print one table with --once');
      const odd = await host.run(['top', '--interval', 'often']);
      expect(odd).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/--interval is "often"; expected sec/),
      });
    },
  );

  test(
    'top draws again and again on a page of its own until q is pressed, which gives the terminal back',
    { timeout: MANY_COMMANDS_MS },
    async () => {
      const top = host.spawnAtTerminal(['top', '--interval', '0.2']);
      const ended = once(top, 'close');
      let shown = '';
      const words = (): string => stripVTControlCharacters(shown);
      top.stdout.setEncoding('utf8').on('data', (chunk: string) => (shown += chunk));
      await expect
        .poll(() => words().match(/serve:linear {2}running/g)?.length ?? 0, { timeout: 60_000 })
        .toBeGreaterThanOrEqual(2);
      expect(shown.startsWith('\u001b[?1049h')).toBe(true);
      expect(words()).toMatch(/http_api +1 +ready/);
      expect(shown).not.toContain('\u001b[?1049l');
      top.stdin.write('q');
      expect(await ended).toEqual([0, null]);
      expect(shown.endsWith('\u001b[?1049l')).toBe(true);
    },
  );

  test(
    'reload and restart replace processes',
    async () => {
      const [before] = await workersOf('http_api');
      expect(await ctl('reload', 'http_api')).toEqual(say('every worker of http_api was replaced\n'));
      const [after] = await workersOf('http_api');
      expect(after?.pid).not.toBe(before?.pid);
      expect(await ctl('restart', 'http_api', '1')).toEqual(say('restarted\n'));
      expect((await workersOf('http_api'))[0]?.pid).not.toBe(after?.pid);
    },
    MANY_COMMANDS_MS,
  );

  test(
    'the number of workers grows and shrinks',
    async () => {
      expect(await ctl('incr', 'http_api')).toEqual(say('http_api has 2 workers\n'));
      expect(await json('set', 'http_api', '1')).toEqual({ numProcesses: 1 });
      expect(await workersOf('http_api')).toHaveLength(1);
      expect(await ctl('decr', 'http_api')).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/^error: watcher 'http_api' cannot have 0 processes/),
      });
    },
    MANY_COMMANDS_MS,
  );

  test('a wrong watcher or argument is told by the server, with what there is', async () => {
    const unknown = await ctl('incr', 'web');
    expect(unknown).toMatchObject({ code: 1, stdout: '' });
    expect(unknown.stderr).toBe(
      "error: no watcher is named 'web'; the tree has: runner:matmul, dispatcher:matmul, http_api\n",
    );
    const { code, stderr } = await ctl('set', 'http_api', 'many');
    expect(code).toBe(2);
    expect(stderr).toBe(
      "error: 'numProcesses' of command 'set' is \"many\"; expected a whole number from 1 to 1024\n" +
        '(bentots ctl set --help tells what there is)\n',
    );
  });

  test(
    'events are followed; a signal kills just one worker, and another takes its place',
    async () => {
      const [worker] = await workersOf('http_api');
      const events = host.spawn(['ctl', 'events', '--json']);
      const lines = createInterface({ input: events.stdout ?? process.stdin })[Symbol.asyncIterator]();
      const until = async (type: string): Promise<Record<string, unknown>> => {
        for (let line = await lines.next(); line.done !== true; line = await lines.next()) {
          const { event } = JSON.parse(line.value);
          if (
            event.type === type &&
            (event.pid ?? 0) === (type === 'worker-exited' ? worker?.pid : (event.pid ?? 0))
          )
            return event;
        }
        throw new Error(`no event of type ${type}`);
      };
      await lines.next();
      expect(await ctl('signal', 'kill', 'http_api', '1')).toEqual(say('SIGKILL was sent to 1 processes\n'));
      expect(await until('worker-exited')).toMatchObject({ watcher: 'http_api', signal: 'SIGKILL' });
      expect(await until('worker-ready')).toMatchObject({ watcher: 'http_api' });
      const words = await ctl('events', '--no-follow', '--last', '200');
      expect(words.stdout).toMatch(/^\d\d:\d\d:\d\d\.\d{3} control socket: signal signal=SIGKILL watcher=/m);
      events.kill('SIGINT');
      await once(events, 'exit');
    },
    MANY_COMMANDS_MS,
  );

  test(
    'with a second one it must be said which; each has its own socket',
    async () => {
      await host.serve(RUNNER);
      const { code, stderr } = await ctl('list');
      expect(code).toBe(2);
      expect(stderr).toMatch(
        /^error: several servers are running: runner-server:matmul \(pid \d+\), serve:linear \(pid \d+\); say which/,
      );
      const trees = (await json('trees')) as { name: string; pid: number; path: string }[];
      const [runner, serve] = trees;
      for (const wish of ['matmul', String(runner?.pid), runner?.path ?? '']) {
        expect(await json('--tree', wish, 'status')).toMatchObject({ name: runner?.name, pid: runner?.pid });
      }
      expect(await json('--tree', 'serve:linear', 'status')).toMatchObject({ pid: serve?.pid });
      const named = await host.run(['ctl', 'status'], { BENTOTS_CONTROL_SOCKET: serve?.path ?? '' });
      expect(named.stdout).toContain(`pid ${serve?.pid}\n`);
      expect(await ctl('--tree', 'nobody', 'status')).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(
          /^error: no server 'nobody' is running; there is: runner-server:matmul/,
        ),
      });
    },
    MANY_COMMANDS_MS,
  );

  test(
    'stop returns when the server is gone; a killed one leaves no socket either',
    async () => {
      const trees = (await json('trees')) as { name: string; pid: number; path: string }[];
      const [runner, serve] = trees;
      expect(await ctl('stop', '--tree', 'matmul')).toEqual(
        say(`runner-server:matmul (pid ${runner?.pid}) has stopped\n`),
      );
      expect(existsSync(runner?.path ?? '')).toBe(false);
      process.kill(serve?.pid ?? 0, 'SIGKILL');
      await expect.poll(() => readdirSync(folder), { timeout: 10_000 }).toEqual([]);
      expect(await ctl('trees')).toEqual(say('no server is running\n'));
    },
    MANY_COMMANDS_MS,
  );
});

describe('--control-socket', () => {
  test(
    'off makes none; a path makes it there, and a program says so with --tree',
    async () => {
      const path = join(host.runtimeDir, 'own.sock');
      const [silent, named] = await Promise.all([
        host.serve([...RUNNER, '--control-socket', 'off']),
        host.serve([...RUNNER, '--control-socket', path]),
      ]);
      expect(readdirSync(folder)).toEqual([]);
      expect(await json('--tree', path, 'status')).toMatchObject({ pid: named.pid });
      expect(await ctl('--tree', path, 'stop', '--force')).toMatchObject({ code: 0 });
      silent.kill('SIGTERM');
      await once(silent, 'exit');
      expect(existsSync(path)).toBe(false);
    },
    MANY_COMMANDS_MS,
  );
});
