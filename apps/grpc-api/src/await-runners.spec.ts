import { expect, test } from 'vitest';
import { awaitRunners, namesNotReady } from './await-runners.js';

test('waits until every runner answers, and names those awaited whenever they change', async () => {
  const looks = [
    { a: false, b: false },
    { a: false, b: false },
    { a: true, b: false },
    { a: true, b: true },
  ];
  const told: string[][] = [];
  await awaitRunners(() => Promise.resolve(looks.shift() ?? {}), {
    signal: new AbortController().signal,
    onWait: (names) => told.push([...names]),
    minDelayMs: 1,
  });
  expect(told).toEqual([['a', 'b'], ['b']]);
  expect(looks).toEqual([]);
});

test('says nothing when all are ready, or when there are none', async () => {
  const told: unknown[] = [];
  const options = { signal: new AbortController().signal, onWait: (names: unknown) => told.push(names) };
  await awaitRunners(() => Promise.resolve({ a: true }), options);
  await awaitRunners(() => Promise.resolve({}), options);
  expect(told).toEqual([]);
});

test('ends when its signal aborts, with the reason', async () => {
  const stop = new AbortController();
  const waiting = awaitRunners(() => Promise.resolve({ a: false }), {
    signal: stop.signal,
    onWait: () => stop.abort(new Error('asked to stop')),
  });
  await expect(waiting).rejects.toMatchObject({
    cause: expect.objectContaining({ message: 'asked to stop' }),
  });
});

test('names of those not ready, in order', () => {
  expect(namesNotReady({ b: false, a: true, c: false })).toEqual(['b', 'c']);
});
