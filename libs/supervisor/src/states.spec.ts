import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Moves,
  PROCESS_MOVES,
  StateBox,
  TREE_MOVES,
  watcherStateOf,
  WORKER_MOVES,
  type WorkerState,
} from './states.js';

const tables: readonly [string, Moves<string>, string, readonly string[]][] = [
  ['process', PROCESS_MOVES, 'starting', ['exited']],
  ['worker', WORKER_MOVES, 'stopped', []],
  ['tree', TREE_MOVES, 'new', ['stopped', 'failed']],
];

describe.each(tables)('the table of a %s', (_name, moves, first, ends) => {
  test('every state can be reached from the first', () => {
    const reached = new Set([first]);
    for (const state of reached) for (const next of moves[state] ?? []) reached.add(next);
    expect([...reached].sort()).toEqual(Object.keys(moves).sort());
  });

  test('only the last states lead nowhere', () => {
    expect(Object.keys(moves).filter((state) => moves[state]?.length === 0)).toEqual(ends);
  });

  test('a box takes exactly the moves of the table, and a refused move changes nothing', () => {
    const states = Object.keys(moves);
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...states)), (wishes) => {
        const box = new StateBox('it', moves, first);
        for (const wish of wishes) {
          const before = box.state;
          const isAllowed = moves[before]?.includes(wish) === true;
          if (isAllowed) box.setState(wish);
          else expect(() => box.setState(wish)).toThrow(`it cannot go from '${before}' to '${wish}'`);
          expect(box.state).toBe(isAllowed ? wish : before);
        }
      }),
    );
  });
});

describe('watcherStateOf', () => {
  const cases: readonly ['start' | 'stop', WorkerState[], string][] = [
    ['start', ['starting', 'starting'], 'starting'],
    ['start', ['ready', 'ready'], 'active'],
    ['start', ['ready', 'starting'], 'degraded'],
    ['start', ['ready', 'held'], 'degraded'],
    ['start', ['ready', 'crash-looping'], 'crash-looping'],
    ['stop', ['ready', 'draining'], 'stopping'],
    ['stop', ['stopped', 'draining'], 'stopping'],
    ['stop', ['stopped', 'stopped'], 'stopped'],
    ['start', ['failed', 'stopped'], 'stopped'],
  ];
  test.each(cases)('asked to %s, workers %j: %s', (asked, workers, state) => {
    expect(watcherStateOf(asked, workers)).toBe(state);
  });
});
