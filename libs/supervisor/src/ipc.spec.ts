import { expect, test } from 'vitest';
import { isArbiterMessage, isWorkerMessage } from './ipc.js';

test.each([
  { supervisor: 'hello' },
  { supervisor: 'ready', info: null },
  { supervisor: 'fail', error: { code: 'internal', message: 'x' } },
  { supervisor: 'closed', socket: 'http', count: 2 },
  { supervisor: 'beat', lagMs: 0, utilization: 0.1, rssBytes: 1 },
  { supervisor: 'snapshot', id: 0, snapshot: [] },
])('a worker may say %j', (message) => {
  expect(isWorkerMessage(message)).toBe(true);
});

test.each([
  null,
  'ready',
  {},
  { type: 'ready' },
  { supervisor: 'toString' },
  { supervisor: 'drain', graceMs: 1 },
  { supervisor: 'fail', error: 'x' },
  { supervisor: 'taken' },
  { supervisor: 'taken', id: '1' },
  { supervisor: 'closed', socket: 1, count: 2 },
  { supervisor: 'beat', lagMs: Number.NaN, utilization: 0, rssBytes: 0 },
])("%j is the user's own, or broken, and ignored", (message) => {
  expect(isWorkerMessage(message)).toBe(false);
});

test('an arbiter is understood in its own messages only', () => {
  expect(isArbiterMessage({ supervisor: 'drain', graceMs: 1 })).toBe(true);
  expect(isArbiterMessage({ supervisor: 'metrics', id: 1, text: null })).toBe(true);
  expect(isArbiterMessage({ supervisor: 'metrics', id: 1 })).toBe(false);
  expect(isArbiterMessage({ supervisor: 'ready', info: null })).toBe(false);
});
