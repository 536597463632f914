import { expect, test } from 'vitest';
import { type Beat, isArbiterMessage, isWorkerMessage } from './ipc.js';

const beat: Beat = {
  lateMs: 0,
  lagMs: 0.1,
  lagP50Ms: 0,
  utilization: 0.1,
  cpu: 1.2,
  rssBytes: 1,
  heapBytes: 1,
  connections: 1,
};

test.each([
  { supervisor: 'hello' },
  { supervisor: 'ready', info: null },
  { supervisor: 'fail', error: { code: 'internal', message: 'x' } },
  { supervisor: 'closed', socket: 'http', count: 2 },
  { supervisor: 'beat', ...beat },
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
  { supervisor: 'beat', ...beat, lagMs: Number.NaN },
  { supervisor: 'beat', lagMs: 0, utilization: 0, rssBytes: 0 },
])("%j is the user's own, or broken, and ignored", (message) => {
  expect(isWorkerMessage(message)).toBe(false);
});

test('an arbiter is understood in its own messages only', () => {
  expect(isArbiterMessage({ supervisor: 'drain', graceMs: 1, hurry: false })).toBe(true);
  expect(isArbiterMessage({ supervisor: 'drain', graceMs: 1 })).toBe(false);
  expect(
    isArbiterMessage({ supervisor: 'tree', lameDuck: true, crashLooping: ['web'], ready: { web: 0 } }),
  ).toBe(true);
  expect(isArbiterMessage({ supervisor: 'tree', lameDuck: true })).toBe(false);
  expect(isArbiterMessage({ supervisor: 'metrics', id: 1, text: null })).toBe(true);
  expect(isArbiterMessage({ supervisor: 'metrics', id: 1 })).toBe(false);
  expect(isArbiterMessage({ supervisor: 'ready', info: null })).toBe(false);
});
