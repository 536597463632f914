import { join } from 'node:path';

import { expect, test } from 'vitest';

import { createWatchFilter } from './is-watched.js';

const dir = '/home/ada/hello';

function filter(file = 'service.ts', ignored = '') {
  const isWatched = createWatchFilter({ dir, file: join(dir, file), ignored });
  return (path: string) => isWatched(join(dir, path), path.endsWith('/') ? 'folder' : 'file');
}

test.each([
  '',
  'service.ts',
  'lib/greet.mts',
  'lib/old.cjs',
  'labels.json',
  'bentofile.yaml',
  'src/',
  'tools/',
])("'%s' is watched", (path) => expect(filter()(path)).toBe(true));

test.each([
  'node_modules/',
  'lib/node_modules/',
  'dist/',
  'coverage/',
  '.git/',
  '.env',
  '.eslintrc.json',
  'service.spec.ts',
  'types.d.ts',
  'out.log',
  'digits.onnx',
])("'%s' is not watched", (path) => expect(filter()(path)).toBe(false));

test('the folders that the service lies in are watched, whatever they are called', () => {
  const isWatched = filter('dist/.built/service.js');
  expect(['dist/', 'dist/.built/', 'dist/.built/service.js'].map(isWatched)).toEqual([true, true, true]);
  expect(isWatched('lib/dist/')).toBe(false);
});

test('.bentoignore leaves out files and folders, as .gitignore does', () => {
  const isWatched = filter('service.ts', '# made by the service\n/results\n*.yaml\n!bentofile.yaml\n');
  expect(['results/', 'a.yaml', 'lib/b.yaml'].map(isWatched)).toEqual([false, false, false]);
  expect(['bentofile.yaml', 'lib/results/', 'service.ts'].map(isWatched)).toEqual([true, true, true]);
});
