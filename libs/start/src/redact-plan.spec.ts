import { expect, test } from 'vitest';

import { redactPlan } from './redact-plan.js';

test('passwords are hidden wherever they are, and nothing else is', () => {
  const ssl = { certfile: '/c.pem', keyfilePassword: 's3cret' };
  const watcher = {
    name: 'http_api',
    entry: '/w.js',
    numProcesses: 1,
    data: { ssl, list: [{ password: 'x' }] },
  };
  const plan = { name: 'p', sockets: [{ name: 'http', port: 1 }], watchers: [watcher] };
  expect(redactPlan(plan)).toEqual({
    ...plan,
    watchers: [
      {
        ...watcher,
        data: {
          ssl: { certfile: '/c.pem', keyfilePassword: '(hidden)' },
          list: [{ password: '(hidden)' }],
        },
      },
    ],
  });
  expect(plan.watchers[0]?.data.ssl.keyfilePassword).toBe('s3cret');
});
