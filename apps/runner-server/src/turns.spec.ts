import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Turns } from './turns.js';

test('the first task runs at once, the others in order, each in a turn of its own', async () => {
  const turns = new Turns();
  const seen: string[] = [];
  for (const name of ['a', 'b', 'c']) {
    turns.take(() => {
      seen.push(name);
      setImmediate(() => seen.push(`after ${name}`));
    });
  }
  expect(seen).toEqual(['a']);
  while (seen.length < 6) await nextTurn();
  // What a task has planned for the end of its turn comes before the task after the next.
  expect(seen.indexOf('after a')).toBeLessThan(seen.indexOf('c'));
  expect(seen.filter((name) => name.length === 1)).toEqual(['a', 'b', 'c']);
});

test('a task that comes when all before are done runs at once again', async () => {
  const turns = new Turns();
  const seen: string[] = [];
  turns.take(() => seen.push('a'));
  await nextTurn();
  await nextTurn();
  turns.take(() => seen.push('b'));
  expect(seen).toEqual(['a', 'b']);
});

test('a task that throws holds up no other', async () => {
  const turns = new Turns();
  const seen: string[] = [];
  expect(() =>
    turns.take(() => {
      throw new Error('mine');
    }),
  ).toThrow('mine');
  turns.take(() => seen.push('b'));
  while (seen.length === 0) await nextTurn();
  expect(seen).toEqual(['b']);
});
