import { ServeError } from '@bentots/errors';
import { describe, expect, test } from 'vitest';
import { nextTrouble, planGiveUp, type Trouble, type TroubleKind } from './trouble.js';

const error = new ServeError('unavailable', 'not there');
const trouble = (kind: TroubleKind, begunAt: number, sinceMs = 0): Trouble => ({
  kind,
  error,
  begunAt,
  sinceMs,
});

describe('nextTrouble', () => {
  test('counts from the first failure of its kind', () => {
    const first = nextTrouble(undefined, { kind: 'absent', error, begunAt: 1 }, 100);
    const second = nextTrouble(first, { kind: 'absent', error, begunAt: 2 }, 200);
    expect(second).toEqual(trouble('absent', 2, 100));
    expect(nextTrouble(second, { kind: 'silent', error, begunAt: 3 }, 300).sinceMs).toBe(300);
  });

  test('remembers the latest attempt, though an earlier one fails later', () => {
    expect(nextTrouble(trouble('absent', 7), { kind: 'absent', error, begunAt: 5 }, 1).begunAt).toBe(7);
  });
});

describe('planGiveUp', () => {
  const limitMs = 1000;

  test('sends away who came before an attempt at a place where nobody has listened for long', () => {
    expect(planGiveUp([trouble('absent', 5)], 1000, limitMs)).toEqual({ calls: 5, questions: 5 });
  });

  test('lets calls wait for a runner that has just gone, but not questions', () => {
    expect(planGiveUp([trouble('absent', 5)], 999, limitMs)).toEqual({ calls: -1, questions: 5 });
  });

  test('lets calls wait for a runner that listens and says nothing, however long', () => {
    expect(planGiveUp([trouble('silent', 5)], 1e9, limitMs)).toEqual({ calls: -1, questions: 5 });
  });

  test('sends away at once where the wrong server answers', () => {
    expect(planGiveUp([trouble('wrong', 5, 100)], 100, limitMs)).toEqual({ calls: 5, questions: 5 });
  });

  test('needs an attempt at each replica', () => {
    const troubles = [trouble('absent', 9), trouble('wrong', 3)];
    expect(planGiveUp(troubles, 1e9, limitMs)).toEqual({ calls: 3, questions: 3 });
  });

  test('sends nobody away while one replica may still serve', () => {
    expect(planGiveUp([trouble('wrong', 9), undefined], 1e9, limitMs)).toEqual({ calls: -1, questions: -1 });
    expect(planGiveUp([trouble('wrong', 9), trouble('silent', 8)], 1e9, limitMs)).toEqual({
      calls: -1,
      questions: 8,
    });
  });
});
