import type { SupervisorEvent } from '@bentots/supervisor';
import { createLogger } from '@bentots/telemetry';
import { describe, expect, test } from 'vitest';

import { logEvent } from './log-event.js';

/** What is logged about an event: exactly one line. */
function lineOf(event: SupervisorEvent, format: 'text' | 'json' = 'json'): string {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  logEvent(createLogger({ component: 'arbiter', level: 'debug', format, destination }), event);
  expect(lines).toHaveLength(1);
  return lines[0] ?? '';
}

const worker = { watcher: 'http_api', workerId: 2, generation: 1, pid: 42 };
const died = {
  type: 'worker-exited',
  code: null,
  signal: 'SIGKILL',
  reason: 'crashed',
  livedMs: 5,
  ...worker,
} as const;
const error = { code: 'worker_not_ready', message: 'model.onnx is missing' } as const;
const notStarted = { ...died, signal: null, reason: 'not started', pid: undefined } as const;

describe('the message', () => {
  test.each<[SupervisorEvent, string]>([
    [{ ...died, expected: false }, 'error worker 2 of http_api (pid 42) ended by SIGKILL after 5 ms'],
    [{ ...died, expected: true }, 'debug worker 2 of http_api (pid 42) ended by SIGKILL after 5 ms'],
    [
      { ...died, expected: false, code: 1, signal: null, error },
      'error worker 2 of http_api (pid 42) ended with exit code 1 after 5 ms: model.onnx is missing',
    ],
    [
      { ...died, expected: false, reason: 'left', code: 0, signal: null },
      'warn worker 2 of http_api (pid 42) left on a signal from outside: ended with exit code 0 after 5 ms',
    ],
    [
      { type: 'control', command: 'set', fields: { watcher: 'http_api', numProcesses: 3 } },
      'info control socket: set watcher=http_api numProcesses=3',
    ],
    [
      { ...notStarted, expected: false, error },
      'error worker 2 of http_api could not be started: model.onnx is missing',
    ],
    [
      { type: 'worker-restarting', reason: 'crashed', delayMs: 0, ...worker },
      'info worker 2 of http_api (pid 42) is replaced',
    ],
    [
      { type: 'worker-restarting', reason: 'crashed', delayMs: 200, ...worker },
      'info worker 2 of http_api (pid 42) is replaced in 200 ms',
    ],
    [
      { type: 'worker-killed', reason: 'grace time is over', ...worker },
      'warn worker 2 of http_api (pid 42) is killed: grace time is over',
    ],
    [
      { type: 'crash-loop', crashes: 6, windowMs: 60_000, ...worker },
      'error worker 2 of http_api (pid 42) crashed 6 times in 60 s',
    ],
    [
      { type: 'worker-ready', tookMs: 12.4, info: null, ...worker },
      'debug worker 2 of http_api (pid 42) is ready after 12 ms',
    ],
    [
      { type: 'num-processes', watcher: 'http_api', numProcesses: 3, previous: 2 },
      'info http_api has 3 workers; there were 2',
    ],
    [{ type: 'signal', signal: 'SIGTTIN', effect: 'grow' }, 'info SIGTTIN: one worker more'],
    [{ type: 'worker-started', ...worker }, 'debug worker 2 of http_api (pid 42) started'],
    [{ type: 'worker-draining', ...worker }, 'debug worker 2 of http_api (pid 42) drains'],
    [{ type: 'tree', state: 'stopping', reason: 'asked' }, 'debug tree is stopping: asked'],
    [
      { type: 'signal', signal: 'SIGTERM', effect: 'stop' },
      'info SIGTERM: requests in flight are finished, then the server stops',
    ],
    [
      { type: 'control', command: 'restart', fields: { watcher: 'http_api' } },
      'info control socket: restart watcher=http_api',
    ],
    [{ type: 'warning', message: 'hm' }, 'warn hm'],
  ])('of %o', (event, line) => {
    const { level, message }: { level: string; message: string } = JSON.parse(lineOf(event));
    expect(`${level} ${message}`).toBe(line);
  });
});

describe('the fields', () => {
  /** The fields that every line has are taken away. */
  const fieldsOf = (event: SupervisorEvent): unknown => {
    const { level: _1, time: _2, component: _3, message: _4, ...fields } = JSON.parse(lineOf(event));
    return fields;
  };
  const who = { watcher: 'http_api', worker: 2, generation: 1, pid: 42 };

  test.each<[SupervisorEvent, object]>([
    [
      { ...died, expected: false, drainMs: 3, error },
      {
        event: 'worker-exited',
        ...who,
        signal: 'SIGKILL',
        expected: false,
        reason: 'crashed',
        lived_ms: 5,
        drain_ms: 3,
        error_code: 'worker_not_ready',
      },
    ],
    [
      { ...died, expected: true, code: 0, signal: null, reason: 'asked' },
      { event: 'worker-exited', ...who, code: 0, expected: true, reason: 'asked', lived_ms: 5 },
    ],
    [
      { type: 'worker-ready', tookMs: 12, info: { pid: 1 }, ...worker },
      { event: 'worker-ready', ...who, took_ms: 12 },
    ],
    [
      { type: 'worker-restarting', reason: 'left', delayMs: 500, ...worker },
      { event: 'worker-restarting', ...who, reason: 'left', delay_ms: 500 },
    ],
    [
      { type: 'crash-loop', crashes: 6, windowMs: 60_000, ...worker },
      { event: 'crash-loop', ...who, crashes: 6, window_ms: 60_000 },
    ],
    [
      { type: 'socket-bound', socket: { name: 'http', address: { host: '::1', port: 1 } } },
      { event: 'socket-bound', socket: 'http', address: { host: '::1', port: 1 } },
    ],
    [
      { type: 'tree', state: 'failed' },
      { event: 'tree', state: 'failed' },
    ],
    [
      { type: 'control', command: 'restart', fields: { watcher: 'http_api', workerId: 2 } },
      { event: 'control', command: 'restart', watcher: 'http_api', worker: 2 },
    ],
    [{ type: 'warning', message: 'hm' }, { event: 'warning' }],
  ])('of %o are flat, named alike, and only those that are known', (event, fields) => {
    expect(fieldsOf(event)).toEqual(fields);
  });

  test('stand behind the message in a line of text', () => {
    const line = lineOf({ ...died, expected: false }, 'text');
    expect(line).toMatch(
      /^\S+ \[ERROR\] \[arbiter\] worker 2 of http_api \(pid 42\) ended by SIGKILL after 5 ms /,
    );
    expect(line.trimEnd().split(' ').slice(-9)).toEqual([
      'event=worker-exited',
      'signal=SIGKILL',
      'reason=crashed',
      'lived_ms=5',
      'watcher=http_api',
      'worker=2',
      'generation=1',
      'pid=42',
      'expected=false',
    ]);
  });
});
