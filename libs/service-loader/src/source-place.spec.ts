import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findArrowPlace, findQuoted, findUserFrame, formatCodeFrame, formatPlace } from './source-place.js';

const stack = `Error: at /proj/not-a-frame.ts:1:1
    at open (node:fs:10:2)
    at load (/proj/node_modules/lib/index.js:7:3)
    at Object.read (file:///proj/src/model%20file.ts:5:9)
    at /proj/service.ts:2:1`;

test('the first frame in the project, outside node_modules, is the place', () => {
  expect(findUserFrame(stack, '/proj')).toEqual({ file: '/proj/src/model file.ts', line: 5, column: 9 });
  expect(findUserFrame(stack, '/elsewhere')).toBeUndefined();
});

test("the compiler's mark above a stack is a place", () => {
  const marked = `/proj/a.mts:2\nimport { nope } from './b.js';\n         ^\n\nSyntaxError: no export\n    at x (/proj/c.ts:1:1)`;
  expect(findArrowPlace(marked)).toEqual({ file: '/proj/a.mts', line: 2, column: 10 });
  expect(findArrowPlace(stack)).toBeUndefined();
});

test('places are shown from the working directory', () => {
  expect(formatPlace({ file: '/proj/src/a.ts', line: 3, column: 4 }, '/proj')).toBe('src/a.ts:3:4');
  expect(formatPlace({ file: '/other/a.ts', line: 3 }, '/proj')).toBe('/other/a.ts:3');
});

test('a code frame shows the line, the one before, and a mark', async () => {
  const file = join(await mkdtemp(join(tmpdir(), 'frame-')), 'a.ts');
  await writeFile(file, `${'\n'.repeat(8)}const a = 1;\nconst b = ;\n`);
  expect(await formatCodeFrame({ file, line: 10, column: 11 })).toBe(
    ['   9 | const a = 1;', '> 10 | const b = ;', '     |           ^'].join('\n'),
  );
  expect(await formatCodeFrame({ file, line: 99 })).toBe('');
  expect(await formatCodeFrame({ file: `${file}x`, line: 1 })).toBe('');
});

test('an import is found by its quoted name', async () => {
  const file = join(await mkdtemp(join(tmpdir(), 'frame-')), 'a.ts');
  await writeFile(file, `// not-quoted\nimport "pkg";\nimport 'not-quoted';\n`);
  expect(await findQuoted(file, 'not-quoted')).toEqual({ file, line: 3 });
  expect(await findQuoted(file, 'pkg')).toEqual({ file, line: 2 });
  expect(await findQuoted(file, 'absent')).toBeUndefined();
});
