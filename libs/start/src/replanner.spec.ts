import type { Plan } from '@bentots/supervisor';
import { expect, test } from 'vitest';

import type { Prepare, Prepared } from './prepared.js';
import { Replanner } from './replanner.js';

const signal = new AbortController().signal;

function prepared(name: string, runners: Readonly<Record<string, number>>): Prepared {
  const watchers = Object.entries(runners).map(([runner, numProcesses]) => ({
    name: `runner:${runner}`,
    entry: '/worker.js',
    numProcesses,
  }));
  const plan: Plan = { name: `serve:${name}`, sockets: [], watchers };
  return {
    plan,
    log: { level: 'silent', format: 'text', access: false },
    startLine: '',
    announce: () => ({ facts: { addresses: [], url: '' }, lines: [] }),
    metrics: false,
    fingerprint: JSON.stringify(runners),
  };
}

/** A replanner of a service with runner `a`, whose next preparation comes to what `next` says. */
function create() {
  const asked: boolean[] = [];
  const state = { next: prepared('hello', { a: 1 }), asked };
  const prepare: Prepare = ({ deploy }) => {
    asked.push(deploy);
    return Promise.resolve(state.next);
  };
  return { state, replanner: new Replanner(prepare, prepared('hello', { a: 1 }), signal) };
}

test('prepares again, without deployment hooks; the tree keeps its name', async () => {
  const { state, replanner } = create();
  state.next = prepared('renamed', { a: 3 });
  const plan = await replanner.plan();
  expect(plan).toEqual({ ...state.next.plan, name: 'serve:hello' });
  expect(state.asked).toEqual([false]);
  expect(replanner.fingerprint).toBe('{"a":3}');
});

test('the plan is kept once, when only code has changed', async () => {
  const { state, replanner } = create();
  state.next = prepared('hello', { a: 2 });
  replanner.keepPlan();
  expect((await replanner.plan()).watchers[0]).toMatchObject({ numProcesses: 1 });
  expect((await replanner.plan()).watchers[0]).toMatchObject({ numProcesses: 2 });
});

test('a look says whether the plan is another one; it is not made twice then', async () => {
  const { state, replanner } = create();
  expect(await replanner.look()).toBe(false);
  state.next = prepared('hello', { a: 2 });
  expect(await replanner.look()).toBe(true);
  expect((await replanner.plan()).watchers[0]).toMatchObject({ numProcesses: 2 });
  expect(state.asked).toHaveLength(2);
});

test.each([
  [{ a: 1, b: 1, c: 1 }, "'b', 'c' is new"],
  [{}, "'a' is gone"],
  [{ b: 1 }, "'b' is new, 'a' is gone"],
])('other runners are refused, and the plan that was goes on: %j', async (runners, words) => {
  const { state, replanner } = create();
  state.next = prepared('hello', runners);
  await expect(replanner.plan()).rejects.toMatchObject({
    code: 'not_supported',
    message: `the service has other runners than when it was started: ${words}; restart the server to add or remove runners`,
  });
  replanner.keepPlan();
  expect(await replanner.plan()).toEqual(prepared('hello', { a: 1 }).plan);
});
