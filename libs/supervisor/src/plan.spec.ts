import { describe, expect, test } from 'vitest';
import { compilePlan, type Plan, type SocketSpec, type WatcherSpec } from './plan.js';

const plan = (watcher: Partial<WatcherSpec> = {}, socket: Partial<SocketSpec> = {}): Plan => ({
  name: 'tree',
  sockets: [{ name: 'http', ...socket }],
  watchers: [{ name: 'web', entry: '/worker.js', numProcesses: 1, sockets: ['http'], ...watcher }],
});

describe('compilePlan', () => {
  test('what is not given is filled in', () => {
    const compiled = compilePlan(plan());
    expect(compiled.sockets).toEqual([
      {
        name: 'http',
        target: { host: '127.0.0.1', port: 0 },
        backlog: 511,
        accept: 'shared',
        inherit: undefined,
        isForCommands: false,
      },
    ]);
    expect(compiled.watchers[0]).toMatchObject({
      graceMs: 30_000,
      readyTimeoutMs: 60_000,
      priority: 0,
      data: null,
    });
  });

  test('a unix socket is for its owner only', () => {
    expect(compilePlan(plan({}, { path: '/x.sock' })).sockets[0]?.target).toEqual({
      path: '/x.sock',
      mode: 0o600,
    });
  });

  const wrong: readonly [string, Plan, string][] = [
    [
      'an unknown socket',
      plan({ sockets: ['grpc'] }),
      "watcher 'web': no socket is named 'grpc'; the plan has: http",
    ],
    [
      'no process',
      plan({ numProcesses: 0 }),
      "watcher 'web': numProcesses is 0; expected a whole number from 1 to 1024",
    ],
    ['a singleton of two', plan({ numProcesses: 2, singleton: true }), 'numProcesses is 2, it must be 1'],
    ['a relative entry', plan({ entry: 'worker.js' }), "entry 'worker.js' must be an absolute path"],
    ['a port out of range', plan({}, { port: 65_536 }), "socket 'http': port is 65536"],
    ['a path and a port', plan({}, { path: '/x', port: 1 }), 'has a path and a host or port'],
    ['a negative time', plan({ graceMs: -1 }), "watcher 'web': graceMs is -1"],
    [
      'the same name twice',
      { ...plan(), sockets: [{ name: 'http' }, { name: 'http' }] },
      "two sockets are named 'http'",
    ],
  ];
  test.each(wrong)('%s is refused by name', (_what, bad, message) => {
    expect(() => compilePlan(bad)).toThrow(message);
  });
});
