import { ServeError } from '@bentots/errors';
import { expect, test } from 'vitest';
import { fixtures, loadOneInChild, loadWarmInChild } from '../test/load-in-child.js';
import { warmUpLoader } from './warm-up-loader.js';

test.each(['esm/service.ts', 'plain/service.ts', 'esm/plain.js', 'esm/syntax.ts', 'esm/imports-ts.js'])(
  'a process that was warmed up loads %s as any other does, or fails alike',
  async (identifier) => {
    const [warm, cold] = await Promise.all([
      loadWarmInChild(identifier, fixtures),
      loadOneInChild(identifier, fixtures),
    ]);
    expect({ ...warm, cause: undefined }).toEqual({ ...cold, cause: undefined });
  },
);

test('a service that is not there is an error already then', async () => {
  await expect(warmUpLoader('esm/nowhere.ts', fixtures)).rejects.toBeInstanceOf(ServeError);
});
