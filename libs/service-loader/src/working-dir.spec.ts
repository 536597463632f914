import { mkdtemp, realpath, symlink, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { isInside, resolveWorkingDir } from './working-dir.js';

test('home, relative paths and links lead to one real directory', async () => {
  const real = await realpath(await mkdtemp(join(tmpdir(), 'working-dir-')));
  const link = `${real}-link`;
  await symlink(real, link);
  expect(await resolveWorkingDir(link)).toBe(real);
  expect(await resolveWorkingDir(relative(process.cwd(), real))).toBe(real);
  expect(await resolveWorkingDir('~')).toBe(await realpath(homedir()));
});

test('what is missing or a file is refused by name', async () => {
  const file = join(await mkdtemp(join(tmpdir(), 'working-dir-')), 'file');
  await writeFile(file, '');
  await expect(resolveWorkingDir(`${file}/x`)).rejects.toMatchObject({
    code: 'invalid_option',
    message: expect.stringContaining(`${file}/x' does not exist`),
  });
  await expect(resolveWorkingDir(file)).rejects.toMatchObject({
    code: 'invalid_option',
    message: expect.stringContaining('is a file'),
  });
});

test.each([
  ['/a/b', true],
  ['/a/b/c', true],
  ['/a/b/..c', true],
  ['/a', false],
  ['/a/bc', false],
  ['/', false],
])('%s inside /a/b: %s', (path, inside) => {
  expect(isInside(path, '/a/b')).toBe(inside);
});
