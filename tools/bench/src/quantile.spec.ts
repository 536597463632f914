import { expect, test } from 'vitest';
import { mean, quantile } from './quantile.js';

const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);

test('a quantile is one of the values, and so many are at most it', () => {
  expect(quantile(hundred, 0.5)).toBe(50);
  expect(quantile(hundred, 0.99)).toBe(99);
  expect(quantile(hundred, 1)).toBe(100);
  expect(quantile(hundred, 0)).toBe(1);
  expect(quantile([7], 0.99)).toBe(7);
});

test('nothing has neither quantiles nor a mean', () => {
  expect(quantile([], 0.5)).toBeNaN();
  expect(mean([])).toBeNaN();
  expect(mean([1, 2, 6])).toBe(3);
});
