import { describe, expect, test } from 'vitest';
import { compilePlan, type Plan, type SocketSpec, type WatcherSpec } from './plan.js';

type Some<T> = { [K in keyof T]?: T[K] | undefined };

const unknownSignal = 'SIGNOT' as NodeJS.Signals;

const plan = (watcher: Some<WatcherSpec> = {}, socket: Partial<SocketSpec> = {}): Plan => {
  const spec = { name: 'web', entry: '/worker.js', numProcesses: 1, sockets: ['http'], ...watcher };
  // What is undefined is left out.
  return JSON.parse(
    JSON.stringify({ name: 'tree', sockets: [{ name: 'http', ...socket }], watchers: [spec] }),
  );
};

/** The same of a command. */
const command = (watcher: Some<WatcherSpec> = {}, socket: Partial<SocketSpec> = {}): Plan =>
  plan({ entry: undefined, command: 'sh', ...watcher }, socket);

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
    ['neither entry nor command', plan({ entry: undefined }), "watcher 'web' has no entry and no command"],
    ['both', plan({ command: 'sh' }), "watcher 'web' has an entry and a command; give one of them"],
    [
      'an entry that is ready by a descriptor',
      plan({ readiness: 'fd' }),
      "an entry says that it is ready by 'ipc'",
    ],
    [
      'a command that is ready by IPC',
      command({ readiness: 'ipc' }),
      "a command says that it is ready by 'fd'",
    ],
    ['a command with data', command({ data: 1 }), "watcher 'web' has data, which only an entry has"],
    ['a command with requests', command({ maxRequests: 1 }), 'has maxRequests, which only an entry has'],
    [
      'a command at a balanced socket',
      command({}, { accept: 'balanced' }),
      "watcher 'web': socket 'http' is balanced; a command can only accept by itself: make the socket shared",
    ],
    [
      'a socket of entries and commands',
      { ...plan(), watchers: [...plan().watchers, ...command({ name: 'other' }).watchers] },
      "socket 'http' is used by entries and commands ('web', 'other')",
    ],
    [
      'an unknown placeholder',
      plan({ args: ['$(socket.grpc)'] }),
      "watcher 'web': argument '$(socket.grpc)': $(socket.grpc) is no placeholder here; available: $(worker.id), " +
        '$(worker.generation), $(socket.http), $(env.NAME)',
    ],
    [
      'a variable that is not set',
      plan({ env: { A: '$(env.B)' } }),
      'variable A: $(env.B) cannot be filled in',
    ],
    [
      'a variable that only some workers have',
      plan({ args: ['$(env.GPU)'], numProcesses: 2, perWorkerEnv: [{ GPU: '0' }, {}] }),
      '$(env.GPU) cannot be filled in: the variable GPU is not set',
    ],
    ['no signal', plan({ stopSignal: unknownSignal }), "watcher 'web': stopSignal is 'SIGNOT'"],
    [
      'a umask out of range',
      plan({ umask: 0o1000 }),
      "watcher 'web': umask is 512; expected a whole number from 0 to 511",
    ],
    ['a negative user', plan({ uid: -1 }), "watcher 'web': uid is -1"],
    ['an owner without a file', plan({}, { uid: 1 }), "socket 'http' has a uid or gid"],
    ['a relative output file', plan({ output: { file: 'x' } }), "output file 'x' must be an absolute path"],
    ['a tiny output file', plan({ output: { file: '/x', maxBytes: 1 } }), 'output.maxBytes is 1'],
    [
      'the same name twice',
      { ...plan(), sockets: [{ name: 'http' }, { name: 'http' }] },
      "two sockets are named 'http'",
    ],
  ];
  test('a placeholder may name a variable of the worker, of each worker, or of the arbiter', () => {
    const own = {
      args: ['$(env.A) $(env.GPU) $(env.C)'],
      env: { A: '$(env.C)' },
      perWorkerEnv: [{ GPU: '0' }],
    };
    expect(() => compilePlan(plan(own), { C: 'x' })).not.toThrow();
    expect(() => compilePlan(plan(own), {})).toThrow('the variable C is not set');
  });

  test.each(wrong)('%s is refused by name', (_what, bad, message) => {
    expect(() => compilePlan(bad, {})).toThrow(message);
  });
});
