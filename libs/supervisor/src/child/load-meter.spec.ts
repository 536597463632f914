import { expect, test } from 'vitest';
import { LoadMeter } from './load-meter.js';

test('the worst figure of each watcher goes with one beat', () => {
  const meter = new LoadMeter();
  for (const [watcher, delayMs] of [
    ['web', 3],
    ['pool', 7],
    ['web', 5],
    ['pool', 1],
  ] as const) {
    meter.add(watcher, delayMs);
  }
  expect(meter.take('web')).toEqual({ queueDelayMs: 5, queueDelaysMs: { pool: 7 } });
  expect(meter.take('web')).toEqual({});
});

test('what is no figure is not told', () => {
  const meter = new LoadMeter();
  meter.add('web', NaN);
  meter.add('pool', Infinity);
  expect(meter.take('web')).toEqual({});
});
