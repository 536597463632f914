import { describe, expect, test } from 'vitest';
import { emptyTally } from '@bentots/load';
import type { DrainSample } from './drain.js';
import { failuresOf, formatDrain, formatRecovery, formatSpread } from './report.js';

const sample = { scheme: 'http', clients: 'keep-alive', accept: 'shared', run: 1, mishaps: [] } as const;
const reload = (tally: Partial<DrainSample['tally']>, run = 1): DrainSample => ({
  ...sample,
  disturbance: 'reload',
  run,
  tally: { ...emptyTally, ...tally },
});
const stop = (tally: Partial<DrainSample['tally']>): DrainSample => ({
  ...reload(tally),
  disturbance: 'stop',
});

describe('failures', () => {
  test('a server that stops may refuse, one that reloads may not', () => {
    expect(failuresOf([stop({ ok: 9, refused: 4, unavailable: 1 })])).toBe(0);
    expect(failuresOf([reload({ ok: 9, refused: 4, unavailable: 1 })])).toBe(5);
  });

  test('nothing excuses a lost, wrong or late answer', () => {
    expect(failuresOf([stop({ lost: 1 }), stop({ wrong: 2 }), reload({ late: 3 })])).toBe(6);
  });

  test('are told with the runs that had them', () => {
    const table = formatDrain([
      reload({ ok: 10 }, 1),
      reload({ ok: 8, lost: 2 }, 2),
      stop({ ok: 5, refused: 4 }),
    ]);
    expect(table.split('\n')[2]).toMatch(
      /\| http +\| keep-alive +\| shared +\| 20 +\| 2 in 1 of 2 runs \| 9 +\| 0 +\|/,
    );
  });
});

test('a spread shows the middle round and the worst share', () => {
  const spread = { scheme: 'grpc', workers: 2, accept: 'shared', arrival: 'fresh' } as const;
  const rounds = [[9, 1], [5, 5], [7, 3]]; // prettier-ignore
  const table = formatSpread(rounds.map((connections, round) => ({ ...spread, round, connections })));
  expect(table).toContain('| grpc | 2       | 7 3 · 90 %');
});

test("a recovery leaves out the worker's own start", () => {
  const kill = { watcher: 'http_api', workerId: 1, crash: 1, noticedMs: 5, ownStartMs: 500 };
  const table = formatRecovery([520, 510, 530].map((readyMs) => ({ ...kill, readyMs })));
  expect(table).toContain('| 20 (30) ');
});
