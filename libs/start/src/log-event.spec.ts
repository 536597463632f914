import type { SupervisorEvent } from '@bentots/supervisor';
import { createLogger } from '@bentots/telemetry';
import { expect, test } from 'vitest';

import { logEvent } from './log-event.js';

/** `LEVEL message` of what is logged about an event. */
function lineOf(event: SupervisorEvent): string | undefined {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  logEvent(createLogger({ component: 'arbiter', level: 'debug', format: 'json', destination }), event);
  const [line] = lines;
  if (line === undefined) return undefined;
  const { level, message }: { level: string; message: string } = JSON.parse(line);
  return `${level} ${message}`;
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

test.each<[SupervisorEvent, string]>([
  [{ ...died, expected: false }, 'error worker 2 of http_api (pid 42) ended by SIGKILL'],
  [{ ...died, expected: true }, 'debug worker 2 of http_api (pid 42) ended by SIGKILL'],
  [
    { ...died, expected: false, code: 1, signal: null, error },
    'error worker 2 of http_api (pid 42) ended with exit code 1: model.onnx is missing',
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
    { type: 'signal', signal: 'SIGTERM', effect: 'stop' },
    'info SIGTERM: requests in flight are finished, then the server stops',
  ],
  [{ type: 'warning', message: 'hm' }, 'warn hm'],
])('%o', (event, line) => {
  expect(lineOf(event)).toBe(line);
});
