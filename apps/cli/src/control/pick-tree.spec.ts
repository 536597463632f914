import { ServeError } from '@bentots/errors';
import { expect, test } from 'vitest';

import { pickSocket, pickTree } from './pick-tree.js';

const tree = (name: string, pid: number) =>
  ({ name, pid, state: 'running', path: `/run/${name}.${pid}.sock` }) as const;
const linear = tree('serve:linear', 41);
const matmul = tree('runner-server:matmul', 42);
const again = tree('serve:linear', 43);
const all = [linear, matmul, again];

function pick(wish: string | undefined, trees = all): unknown {
  try {
    return pickTree(trees, wish, ['/run/user/7/bentots-7', '/tmp/bentots-7']);
  } catch (error) {
    return error instanceof ServeError ? [error.code, error.message] : error;
  }
}

test('the only tree needs no name', () => expect(pick(undefined, [linear])).toBe(linear));

test.each([
  ['runner-server:matmul', matmul],
  ['matmul', matmul],
  ['43', again],
])('%s is found', (wish, found) => expect(pick(wish)).toBe(found));

test('where several could be meant they are named', () => {
  const both = 'serve:linear (pid 41), serve:linear (pid 43); say which: --tree <name or pid>';
  expect(pick('linear')).toEqual(['invalid_option', `'linear' could be several servers: ${both}`]);
  expect(pick(undefined, [linear, again])).toEqual([
    'invalid_option',
    `several servers are running: ${both}`,
  ]);
});

test('where none is meant, those that run are named, or where was looked', () => {
  expect(pick('44')).toEqual([
    'not_found',
    "no server '44' is running; there is: serve:linear (pid 41), runner-server:matmul (pid 42), serve:linear (pid 43)",
  ]);
  const [code, message] = pick(undefined, []) as string[];
  expect(code).toBe('not_found');
  expect(message).toContain('(looked in /run/user/7/bentots-7, /tmp/bentots-7)');
});

test('a file wins over the variable, and the variable over looking', async () => {
  const environment = { BENTOTS_CONTROL_SOCKET: '/run/one.sock' };
  expect(await pickSocket('./two.sock', environment)).toBe('./two.sock');
  expect(await pickSocket(undefined, environment)).toBe('/run/one.sock');
});
