import { expect, test } from 'vitest';
import { parseServerTiming } from './server-timing.js';

const head = (timing: string): string =>
  `HTTP/1.1 200 OK\r\nServer-Timing: ${timing}\r\nContent-Length: 2\r\n`;

test('the time at the runner is that of its three entries, the total stands by itself', () => {
  const timing =
    'queue;dur=0.5, batch;dur=0.25, infer;dur=2, size;desc="8", hop;dur=0.22, app;dur=1, total;dur=3.97';
  expect(parseServerTiming(head(timing))).toEqual({ runnerMs: 2.75, totalMs: 3.97 });
});

test('a refusal has a total and no time at the runner; an answer of no runner has neither', () => {
  expect(parseServerTiming(head('runner;dur=0.9, app;dur=0.3, total;dur=1.2'))).toEqual({
    runnerMs: 0,
    totalMs: 1.2,
  });
  expect(parseServerTiming('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n')).toBeUndefined();
});
