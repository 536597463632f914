import { describe, expect, test } from 'vitest';
import { compilePlan, type Plan } from './plan.js';
import { checkReplan } from './replan.js';

const plan: Plan = {
  name: 'test',
  sockets: [{ name: 'http', port: 3000 }, { name: 'admin' }],
  watchers: [
    { name: 'web', entry: '/app/web.js', numProcesses: 2, sockets: ['http'] },
    { name: 'job', entry: '/app/job.js', numProcesses: 1 },
  ],
};
const [web, job] = plan.watchers;
const [http, admin] = plan.sockets;
if (web === undefined || job === undefined || http === undefined || admin === undefined) throw new Error();

const check = (next: Plan) => checkReplan(compilePlan(plan), compilePlan(next));

test('a watcher may change all but its name and sockets', () => {
  const changed = {
    ...web,
    entry: '/app/v2.js',
    numProcesses: 5,
    env: { A: '1' },
    data: { v: 2 },
    graceMs: 1,
  };
  expect(() => check({ ...plan, watchers: [job, changed] })).not.toThrow();
});

describe('is refused', () => {
  test.each<[string, Plan]>([
    ["watcher 'new' cannot be added", { ...plan, watchers: [web, job, { ...job, name: 'new' }] }],
    ["watcher 'job' cannot be removed", { ...plan, watchers: [web] }],
    ["socket 'new' cannot be added", { ...plan, sockets: [http, admin, { name: 'new' }] }],
    ["socket 'admin' cannot be removed", { ...plan, sockets: [http] }],
    [
      "the sockets of watcher 'web' cannot change from 'http' to 'http, admin'",
      { ...plan, watchers: [{ ...web, sockets: ['http', 'admin'] }, job] },
    ],
    ["socket 'http' cannot change from", { ...plan, sockets: [{ ...http, port: 3001 }, admin] }],
  ])('%s', (message, next) => {
    expect(() => check(next)).toThrow(message);
    expect(() => check(next)).toThrow('while the tree runs; stop it and start it anew');
  });
});
