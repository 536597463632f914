import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ServeError } from '@bentots/errors';
import type { SupervisorEvent } from '@bentots/supervisor';
import { afterAll, expect, test } from 'vitest';

import { Deferred } from './deferred.js';
import { Development } from './development.js';

const dir = mkdtempSync(join(tmpdir(), 'bentots-development-'));
afterAll(() => rmSync(dir, { recursive: true }));

/** A tree in development, whose reload lasts until the test ends it. */
async function start() {
  const lines: string[] = [];
  const tell = (line: string): void => void lines.push(line);
  const log = { debug: tell, info: tell, warn: tell, error: tell, child: () => log };
  const replanner = { fingerprint: '1', keepPlan: () => undefined, look: () => Promise.resolve(false) };
  const development = new Development({ dir, file: join(dir, 'service.ts') }, replanner, log);
  const [began, ended] = [new Deferred<void>(), new Deferred<void>()];
  const reload = (): Promise<void> => {
    began.resolve();
    return ended.promise;
  };
  await development.watch({ reload });
  writeFileSync(join(dir, 'service.ts'), 'changed');
  await began.promise;
  return { development, lines, ended };
}

const exited: SupervisorEvent = {
  type: 'worker-exited',
  ...{ watcher: 'web', workerId: 1, generation: 1, pid: 1 },
  ...{ code: 1, signal: null, expected: false, reason: 'crashed', livedMs: 1 },
};

test('while workers are replaced their ends need no line of their own', async () => {
  const { development, lines, ended } = await start();
  expect(development.tells(exited)).toBe(true);
  ended.resolve();
  await expect.poll(() => lines.at(-1)).toMatch(/^changed: service.ts → workers replaced in \d+ ms$/);
  expect(development.tells(exited)).toBe(false);
  await development.close();
});

test.each(['lame-duck', 'stopping', 'failed'] as const)(
  'what the end of the tree (%s) cuts short is told as no failure of the files',
  async (state) => {
    const { development, lines, ended } = await start();
    expect(development.tells({ type: 'tree', state })).toBe(false);
    ended.reject(new ServeError('cancelled', 'the server was stopped before it was ready'));
    await new Promise((resolve) => setImmediate(resolve));
    await development.close();
    expect(lines.filter((line) => !line.startsWith('Watching'))).toEqual([]);
  },
);
