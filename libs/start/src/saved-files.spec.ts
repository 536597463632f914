import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest';

import { isEmptyFile, SavedFiles } from './saved-files.js';

const dir = mkdtempSync(join(tmpdir(), 'bentots-saved-'));
afterAll(() => rmSync(dir, { recursive: true }));
beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

const write = (name: string, content: string | Buffer): string => {
  const path = join(dir, name);
  writeFileSync(path, content);
  return path;
};

test('a file is told again when it holds something else, or is gone', () => {
  const saved = new SavedFiles();
  const path = write('a.ts', 'one');
  expect(saved.pickNews([path])).toEqual([path]);
  expect(saved.pickNews([path])).toEqual([]);
  write('a.ts', 'two');
  expect(saved.pickNews([path])).toEqual([path]);
  rmSync(path);
  expect(saved.pickNews([path])).toEqual([path]);
  expect(saved.pickNews([path])).toEqual([]);
});

test('after a while the same content is news: somebody touched the file', () => {
  const saved = new SavedFiles();
  const path = write('a.ts', 'one');
  expect(saved.pickNews([path])).toEqual([path]);
  vi.advanceTimersByTime(999);
  expect(saved.pickNews([path])).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(saved.pickNews([path])).toEqual([path]);
});

test('each path is judged by itself; large files are known by their size and time', () => {
  const saved = new SavedFiles();
  const [large, other] = [write('large.json', Buffer.alloc(5 * 2 ** 20)), write('b.ts', '1')];
  expect(saved.pickNews([large])).toEqual([large]);
  expect(saved.pickNews([large, other])).toEqual([other]);
  write('large.json', Buffer.alloc(6 * 2 ** 20));
  expect(saved.pickNews([large, other])).toEqual([large]);
});

test('an empty file is one that is being written; one that is not there is not', () => {
  expect(isEmptyFile(write('empty.ts', ''))).toBe(true);
  expect(isEmptyFile(write('full.ts', 'x'))).toBe(false);
  expect(isEmptyFile(join(dir, 'gone.ts'))).toBe(false);
});
