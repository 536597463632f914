import { mkdirSync, mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

import { afterEach, expect, test } from 'vitest';

import type { Change } from './change-batch.js';
import { type ServiceWatch, watchService } from './watch-service.js';

const dir = mkdtempSync(join(tmpdir(), 'bentots-watch-'));
const watches: ServiceWatch[] = [];

afterEach(async () => {
  await Promise.all(watches.splice(0).map((watch) => watch.close()));
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir);
});

const write = (name: string, text = '') => writeFileSync(join(dir, name), text);

/** Watches, and tells the changes one after the other as names of files. */
async function startWatch() {
  const changes: Change[] = [];
  let wake = (): void => undefined;
  const file = join(dir, 'service.ts');
  const onChange = (change: Change): void => {
    changes.push(change);
    wake();
  };
  const onError = (error: unknown): void => {
    throw error;
  };
  watches.push(await watchService({ dir, file }, { onChange, onError }));
  return async (): Promise<string[]> => {
    if (changes.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    return (changes.shift()?.paths ?? []).map((path) => relative(dir, path)).sort();
  };
}

test('a change, a new file in a new folder and a removed file are told', async () => {
  write('service.ts', '1');
  const next = await startWatch();
  write('service.ts', '2');
  expect(await next()).toEqual(['service.ts']);
  mkdirSync(join(dir, 'lib'));
  write('lib/greet.ts');
  expect(await next()).toEqual(['lib/greet.ts']);
  rmSync(join(dir, 'lib/greet.ts'));
  expect(await next()).toEqual(['lib/greet.ts']);
});

test('a save that the system tells of again and again is one change', async () => {
  write('service.ts', '1');
  write('other.ts', '1');
  const next = await startWatch();
  write('service.ts', '2');
  expect(await next()).toEqual(['service.ts']);
  // Emptied, written, its times set: each is told by the system, and none makes it another file.
  write('service.ts', '');
  write('service.ts', '2');
  utimesSync(join(dir, 'service.ts'), new Date(), new Date());
  write('other.ts', '2');
  expect(await next()).toEqual(['other.ts']);
});

test('files written together are one change; those that do not matter are none', async () => {
  write('service.ts', '1');
  mkdirSync(join(dir, 'node_modules'));
  const next = await startWatch();
  write('node_modules/index.js');
  write('notes.txt');
  write('service.ts', '2');
  write('labels.json');
  expect(await next()).toEqual(['labels.json', 'service.ts']);
});

test('an editor that writes beside the file and renames changes the file', async () => {
  write('service.ts', '1');
  const next = await startWatch();
  write('.service.ts.swp', '2');
  renameSync(join(dir, '.service.ts.swp'), join(dir, 'service.ts'));
  expect(await next()).toEqual(['service.ts']);
});
