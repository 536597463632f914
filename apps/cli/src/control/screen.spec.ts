import { PassThrough } from 'node:stream';

import { expect, test } from 'vitest';

import { Screen } from './screen.js';

const ENTER = '\u001b[?1049h\u001b[?25l\u001b[?7l';
const LEAVE = '\u001b[?7h\u001b[?25h\u001b[?1049l';

function openScreen(rows: number) {
  const terminal = Object.assign(new PassThrough({ encoding: 'utf8' }), { rows });
  const screen = new Screen(terminal as unknown as ConstructorParameters<typeof Screen>[0]);
  return { terminal, screen, shown: (): string => String(terminal.read() ?? '') };
}

test('it has a page of its own, and gives the terminal back as it was, once', () => {
  const { screen, shown } = openScreen(5);
  expect(shown()).toBe(ENTER);
  screen.close();
  screen.close();
  screen.draw(['too late']);
  expect(shown()).toBe(LEAVE);
});

test('a page is drawn over the one before, as much as fits, again when the size changes', () => {
  const { terminal, screen, shown } = openScreen(2);
  shown();
  screen.draw(['one', 'two', 'three']);
  expect(shown()).toBe('\u001b[1;1Hone\u001b[K\ntwo\u001b[K\u001b[J');
  terminal.rows = 3;
  terminal.emit('resize');
  expect(shown()).toContain('three');
  screen.close();
  terminal.emit('resize');
  expect(shown()).toBe(LEAVE);
});

test('a terminal that does not know its height is shown everything', () => {
  const { screen, shown } = openScreen(0);
  shown();
  screen.draw(['one', 'two']);
  expect(shown()).toContain('two');
  screen.close();
});

test('a process that ends gives it back, too', () => {
  const before = process.listeners('exit');
  const { screen, shown } = openScreen(2);
  shown();
  const added = process.listeners('exit').filter((listener) => !before.includes(listener));
  for (const listener of added) listener(0);
  expect(shown()).toBe(LEAVE);
  screen.close();
  expect(process.listeners('exit')).toEqual(before);
});
