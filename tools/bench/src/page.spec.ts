import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { fillPage, readSections } from './page.js';

const page = 'a\n<!-- measured: hop -->\n\nold\n\n<!-- end -->\nb\n<!-- measured: lone -->\n<!-- end -->\n';

test('what is between the marks is replaced, and nothing else', () => {
  const sections = new Map([
    ['hop', '| new |'],
    ['lone', '$& stays'],
  ]);
  const filled = fillPage(page, sections);
  expect(filled).toBe(
    'a\n<!-- measured: hop -->\n\n| new |\n\n<!-- end -->\nb\n<!-- measured: lone -->\n\n$& stays\n\n<!-- end -->\n',
  );
  expect(fillPage(filled, sections)).toBe(filled);
});

test('a mark without a section, and a section without a mark, are errors', () => {
  expect(() => fillPage(page, new Map([['hop', 'x']]))).toThrow("a mark for 'lone'");
  const three = new Map(['hop', 'lone', 'chain'].map((name) => [name, 'x']));
  expect(() => fillPage(page, three)).toThrow('no mark for chain');
});

test('docs/performance.md shows what results/ has', async () => {
  const shown = await readFile(new URL('../../../docs/performance.md', import.meta.url), 'utf8');
  expect(shown).toBe(fillPage(shown, await readSections()));
});
