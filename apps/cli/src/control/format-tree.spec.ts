import { stripVTControlCharacters } from 'node:util';

import type { TreeStatus, WorkerStatus } from '@bentots/supervisor';
import { describe, expect, test } from 'vitest';

import { formatStatus } from './format-tree.js';

const worker: WorkerStatus = {
  ...{
    workerId: 1,
    state: 'ready',
    generation: 3,
    pid: 42,
    readyForMs: 1000,
    uptimeMs: 2000,
    connections: 0,
  },
  ...{ restarts: 1, restartsByReason: { crashed: 1, reload: 1 }, startedAt: '2026-01-31T10:00:00.500Z' },
  ...{ cpu: undefined, rssBytes: undefined, lagMs: undefined, utilization: undefined, beat: undefined },
  ...{ heartbeatLagMs: undefined, spares: [], lastExit: undefined, lastError: undefined },
};

const linesOf = (...workers: readonly WorkerStatus[]): readonly string[] => {
  const watchers = [{ name: 'web', state: 'active', numProcesses: workers.length, workers } as const];
  const status: TreeStatus = { name: 'serve:hello', state: 'running', pid: 1, sockets: [], watchers };
  return stripVTControlCharacters(formatStatus(status)).split('\n');
};

describe('the status for people', () => {
  test('ends with the workers', () => {
    expect(linesOf(worker).at(-1)).toMatch(/^web +1 +ready +42 +2.*s +3 +1 \(crashed 1, reload 1\)$/);
  });

  test('tells which processes wait to be the next ones, and which of them still load', () => {
    const spares = [
      { pid: 50, isWarm: true },
      { pid: 51, isWarm: false },
    ];
    expect(linesOf({ ...worker, spares }).at(-1)).toBe('web 1: next in line 50, 51 (loads)');
  });

  test('tells what went wrong last, while it is not right again', () => {
    const lastError = { code: 'service_broken', message: 'the code is broken' } as const;
    expect(linesOf({ ...worker, lastError }).at(-1)).toMatch(/^web/);
    const looping = { ...worker, state: 'crash-looping', lastError } as const;
    expect(linesOf(looping).at(-1)).toBe('web 1: the code is broken');
  });
});
