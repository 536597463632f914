import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Candidate, Ejector, Health, type Standing } from './ejector.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

interface Fake extends Candidate {
  readonly name: string;
  isReady: boolean;
}

/** Candidates `a`, `b`, … and what became of them, with the longest pauses that the rule allows. */
function createWorld(count: number) {
  const all = Array.from({ length: count }, (_, i): Fake => {
    const fake = { name: 'abcdefgh'[i] ?? '', health: new Health(), isReady: true };
    return { ...fake, probe: () => Promise.resolve(find(fake.name).isReady) };
  });
  const find = (name: string): Fake => {
    const found = all.find((candidate) => candidate.name === name);
    if (found === undefined) throw new Error(`no ${name}`);
    return found;
  };
  const changes: string[] = [];
  const rule = { afterFailures: 3, minMs: 1000, maxMs: 8000, random: () => 1 };
  const ejector = new Ejector<Fake>(
    rule,
    () => all,
    ({ name, health }) => changes.push(`${name} ${health.standing}`),
  );
  const fail = (name: string, times = 1): void => {
    for (let i = 0; i < times; i += 1) ejector.failed(find(name));
  };
  const serve = (name: string, times = 1): void => {
    for (let i = 0; i < times; i += 1) ejector.served(find(name));
  };
  const standing = (name: string): Standing => find(name).health.standing;
  /** `name` begins to fail, others serve, it fails on. */
  const makeOutlier = (name: string, other: string): void => {
    fail(name);
    serve(other, 3);
    fail(name, 2);
  };
  return { ejector, changes, find, fail, serve, standing, makeOutlier };
}

describe('a replica is left out', () => {
  test('when its calls fail in a row while others serve theirs', () => {
    const { standing, makeOutlier, changes } = createWorld(2);
    makeOutlier('a', 'b');
    expect(standing('a')).toBe('out');
    expect(changes).toEqual(['a out']);
  });

  test('not when a call is served in between', () => {
    const { standing, fail, serve } = createWorld(2);
    fail('a', 2);
    serve('b', 5);
    serve('a');
    fail('a', 2);
    expect(standing('a')).toBe('in');
  });

  test('not when all fail alike, as under too much load', () => {
    const { standing, fail, serve } = createWorld(4);
    serve('b', 100);
    for (let i = 0; i < 20; i += 1) for (const name of ['a', 'b', 'c', 'd']) fail(name);
    expect(['a', 'b', 'c', 'd'].map(standing)).toEqual(['in', 'in', 'in', 'in']);
  });

  test('not when it is the only one', () => {
    const { standing, fail } = createWorld(1);
    fail('a', 100);
    expect(standing('a')).toBe('in');
  });

  test.each([
    [2, 1],
    [3, 1],
    [4, 2],
    [5, 2],
  ])('so that of %i never more than %i are', (count, most) => {
    const { standing, makeOutlier } = createWorld(count);
    const names = [...'abcde'].slice(0, count);
    const [best = ''] = names;
    for (const name of names.slice(1)) makeOutlier(name, best);
    expect(names.map(standing).filter((word) => word === 'out').length).toBe(most);
  });
});

describe('a replica that was left out', () => {
  test('gets a trial when its time is over and it says that it is ready', async () => {
    const { standing, makeOutlier } = createWorld(2);
    makeOutlier('a', 'b');
    await vi.advanceTimersByTimeAsync(999);
    expect(standing('a')).toBe('out');
    await vi.advanceTimersByTimeAsync(1);
    expect(standing('a')).toBe('trial');
  });

  test('is in again after one good call', async () => {
    const { standing, serve, makeOutlier, changes } = createWorld(2);
    makeOutlier('a', 'b');
    await vi.advanceTimersByTimeAsync(1000);
    serve('a');
    expect(standing('a')).toBe('in');
    expect(changes).toEqual(['a out', 'a trial', 'a in']);
  });

  test('is out at once after one bad call, for twice as long each time, up to the longest', async () => {
    const { standing, fail, find, makeOutlier } = createWorld(2);
    makeOutlier('a', 'b');
    await vi.advanceTimersByTimeAsync(1000);
    for (const ms of [2000, 4000, 8000, 8000]) {
      fail('a');
      expect(standing('a')).toBe('out');
      await vi.advanceTimersByTimeAsync(ms - 1);
      expect(standing('a')).toBe('out');
      await vi.advanceTimersByTimeAsync(1);
      expect(standing('a')).toBe('trial');
    }
    expect(find('a').health.ejections).toBe(5);
  });

  test('stays out when it does not say that it is ready', async () => {
    const { standing, find, makeOutlier, changes } = createWorld(2);
    makeOutlier('a', 'b');
    find('a').isReady = false;
    await vi.advanceTimersByTimeAsync(1000);
    expect(standing('a')).toBe('out');
    find('a').isReady = true;
    await vi.advanceTimersByTimeAsync(2000);
    expect(standing('a')).toBe('trial');
    expect(changes).toEqual(['a out', 'a trial']);
  });

  test('begins anew with the shortest time when it has served well for long', async () => {
    const { standing, serve, fail, makeOutlier } = createWorld(2);
    makeOutlier('a', 'b');
    await vi.advanceTimersByTimeAsync(1000);
    fail('a');
    await vi.advanceTimersByTimeAsync(2000);
    serve('a');
    await vi.advanceTimersByTimeAsync(8001);
    makeOutlier('a', 'b');
    await vi.advanceTimersByTimeAsync(1000);
    expect(standing('a')).toBe('trial');
  });

  test('is asked nothing more when it is forgotten', async () => {
    const { ejector, find, standing, makeOutlier } = createWorld(2);
    makeOutlier('a', 'b');
    ejector.forget(find('a'));
    await vi.advanceTimersByTimeAsync(100_000);
    expect(standing('a')).toBe('out');
  });
});
