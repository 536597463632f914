import type { Plan } from '@bentots/supervisor';
import { describe, expect, test } from 'vitest';

import { takeListenFds } from './take-listen-fds.js';

const planOf = (...names: string[]): Plan => ({
  name: 'test',
  sockets: [...names.map((name) => ({ name, inherit: name })), { name: 'private' }],
  watchers: [],
});
const take = (plan: Plan, count: number, names?: string) =>
  takeListenFds(plan, { LISTEN_PID: '7', LISTEN_FDS: String(count), LISTEN_FDNAMES: names }, 7);

describe('takeListenFds', () => {
  test('named sockets keep their names', () => {
    expect(take(planOf('grpc', 'grpc_metrics'), 2, 'grpc:grpc_metrics')).toEqual({
      grpc: 3,
      grpc_metrics: 4,
    });
  });

  test.each([undefined, 'bentots.socket'])('a single one named %s is for the single socket', (names) => {
    expect(take(planOf('http'), 1, names)).toEqual({ http: 3 });
  });

  test('a single one with another name is not guessed at', () => {
    expect(take(planOf('http'), 1, 'metrics')).toEqual({ metrics: 3 });
  });

  test('a single one is not guessed at where there are two sockets', () => {
    expect(take(planOf('http', 'grpc'), 1)).toEqual({ unknown: 3 });
  });
});
