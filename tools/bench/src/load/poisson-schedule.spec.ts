import { expect, test } from 'vitest';
import { mean, quantile } from '../quantile.js';
import { planPoisson } from './poisson-schedule.js';

test('the same seed gives the same times, another one others', () => {
  expect(planPoisson(100, 1000, 3)).toEqual(planPoisson(100, 1000, 3));
  expect(planPoisson(100, 1000, 3)).not.toEqual(planPoisson(100, 1000, 4));
});

test('times grow and stay within the duration; a longer one begins the same', () => {
  const times = planPoisson(500, 2000, 1);
  expect(times).toEqual([...times].sort((a, b) => a - b));
  expect(times[0]).toBeGreaterThan(0);
  expect(times.at(-1)).toBeLessThan(2000);
  expect(planPoisson(500, 3000, 1).slice(0, times.length)).toEqual(times);
});

test('gaps are those of a Poisson process: mean and deviation are one over the rate, half are under ln 2 of it', () => {
  const times = planPoisson(100, 1_000_000, 7);
  const gaps = times.map((at, i) => at - (times[i - 1] ?? 0));
  const average = mean(gaps);
  const deviation = Math.sqrt(mean(gaps.map((gap) => (gap - average) ** 2)));
  expect(average).toBeGreaterThan(9.8);
  expect(average).toBeLessThan(10.2);
  expect(deviation / average).toBeCloseTo(1, 1);
  expect(quantile(gaps, 0.5) / average).toBeCloseTo(Math.LN2, 1);
});
