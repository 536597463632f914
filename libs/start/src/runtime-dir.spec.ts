import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

import { expect, test } from 'vitest';

import { createRuntimeDirName, sweepRuntimeDirs } from './runtime-dir.js';

async function pidOfTheDead(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  return child.pid ?? 0;
}

test('only empty directories of processes that are gone are swept', async () => {
  const parent = mkdtempSync(join(tmpdir(), 'bentots-sweep-'));
  const dead = await pidOfTheDead();
  const own = createRuntimeDirName(parent);
  const left = join(parent, `bentots-${dead}-0123456789ab`);
  const used = join(parent, `bentots-${dead}-ba9876543210`);
  const foreign = join(parent, `bentots-${dead}-notes`);
  for (const folder of [own, left, used, foreign]) mkdirSync(folder);
  writeFileSync(join(used, 'matmul.sock'), '');
  await sweepRuntimeDirs(parent);
  expect([own, left, used, foreign].map((path) => existsSync(path))).toEqual([true, false, true, true]);
  rmSync(parent, { recursive: true });
});

test('names are new each time, and those of this process', () => {
  const [first, second] = [createRuntimeDirName('/run'), createRuntimeDirName('/run')];
  expect(first).not.toBe(second);
  expect(basename(first)).toMatch(new RegExp(`^bentots-${process.pid}-[0-9a-f]{12}$`));
});
