import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { type Change, ChangeBatch } from './change-batch.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function collect(half: ReadonlySet<string> = new Set()) {
  const changes: Change[] = [];
  const batch = new ChangeBatch(
    (change) => changes.push(change),
    (path) => half.has(path),
  );
  return { changes, batch };
}

test('paths are given together, once each, after a moment of quiet, with the time of the first', () => {
  const { changes, batch } = collect();
  const noticedAt = performance.now();
  for (const path of ['/a', '/b', '/a']) {
    batch.add(path);
    vi.advanceTimersByTime(30);
  }
  expect(changes).toEqual([]);
  vi.advanceTimersByTime(40);
  expect(changes).toEqual([{ paths: ['/a', '/b'], noticedAt }]);
  batch.add('/c');
  vi.advanceTimersByTime(40);
  expect(changes[1]?.paths).toEqual(['/c']);
});

test('without quiet they are given after a second', () => {
  const { changes, batch } = collect();
  for (let ms = 0; ms < 1000; ms += 10) {
    expect(changes).toEqual([]);
    batch.add(`/${ms}`);
    vi.advanceTimersByTime(10);
  }
  expect(changes[0]?.paths).toHaveLength(100);
});

test('what was dropped is never given', () => {
  const { changes, batch } = collect();
  batch.add('/a');
  batch.drop();
  vi.advanceTimersByTime(2000);
  expect(changes).toEqual([]);
});

test('a file that is just being written is waited for, but not for ever', () => {
  const half = new Set(['/a']);
  const { changes, batch } = collect(half);
  batch.add('/a');
  vi.advanceTimersByTime(200);
  expect(changes).toEqual([]);
  half.delete('/a');
  batch.add('/a');
  vi.advanceTimersByTime(40);
  expect(changes).toHaveLength(1);
  half.add('/a');
  batch.add('/a');
  vi.advanceTimersByTime(290);
  expect(changes).toHaveLength(2);
});
