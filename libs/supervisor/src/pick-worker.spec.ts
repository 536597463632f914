import { expect, test } from 'vitest';
import { pickLeastLoaded } from './pick-worker.js';

const load = (name: string, connections: number, handed: number) => ({ name, connections, handed });

test('the worker with the fewest connections is picked', () => {
  expect(pickLeastLoaded([load('a', 3, 3), load('b', 1, 9), load('c', 2, 2)])?.name).toBe('b');
});

test('among equals the one that was given the fewest so far is picked', () => {
  expect(pickLeastLoaded([load('a', 1, 5), load('b', 1, 4), load('c', 1, 4)])?.name).toBe('b');
});

test('without workers nobody is picked', () => {
  expect(pickLeastLoaded([])).toBeUndefined();
});

test('picking again and again spreads evenly', () => {
  const workers = ['a', 'b', 'c', 'd'].map((name) => load(name, 0, 0));
  for (let count = 0; count < 64; count += 1) {
    const picked = pickLeastLoaded(workers);
    if (picked === undefined) throw new Error('nobody was picked');
    picked.connections += 1;
    picked.handed += 1;
  }
  expect(workers.map((worker) => worker.connections)).toEqual([16, 16, 16, 16]);
});
