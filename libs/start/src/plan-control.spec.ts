import { expect, test } from 'vitest';

import { planControl } from './plan-control.js';

const plan = { name: 'serve:read_digits', sockets: [], watchers: [] };
const always = (): boolean => true;
const pathOf = (name: string, folder: string): string =>
  planControl({ ...plan, name }, { folders: [folder] }, always).control?.path ?? '';

test('it is named after the tree and its process, in the first folder that can be used', () => {
  const folders = ['/run/user/7/bentots-7', '/tmp/bentots-7'];
  const control = (canBeUsed: (folder: string) => boolean) =>
    planControl(plan, { folders }, canBeUsed).control;
  const inFolder = (folder: string) => ({ path: `${folder}/serve:read_digits.$(pid).sock`, optional: true });
  expect(control(always)).toEqual(inFolder('/run/user/7/bentots-7'));
  expect(control((folder) => folder.startsWith('/tmp'))).toEqual(inFolder('/tmp/bentots-7'));
  expect(control(() => false)).toEqual(inFolder('/run/user/7/bentots-7'));
});

test('a folder whose path leaves no room for a name is passed over', () => {
  const long = `/${'x'.repeat(90)}`;
  expect(planControl(plan, { folders: [long, '/tmp/b'] }, always).control?.path).toMatch(/^\/tmp\/b\//);
});

test('a name is cut and its odd letters replaced, so that every path can be bound', () => {
  const path = pathOf(`http-api:${'n'.repeat(200)}`, '/run/user/1000/bentots-1000');
  expect(Buffer.byteLength(path.replace('$(pid)', '4194304-99'))).toBe(107);
  expect(pathOf('a/../b c', '/tmp/b')).toBe('/tmp/b/a_.._b_c.$(pid).sock');
});

test('a path that was asked for must work; off is none', () => {
  expect(planControl(plan, { path: '/run/tree.sock' }).control).toEqual({ path: '/run/tree.sock' });
  expect(planControl(plan, undefined)).toBe(plan);
});
