import { describe, expect, test } from 'vitest';
import { CostModel, estimateBatchMs } from './cost-model.js';

const learn = (batches: readonly (readonly [rows: number, ms: number])[]): CostModel => {
  const model = new CostModel();
  for (const [rows, ms] of batches) model.observe(rows, ms);
  return model;
};
const line = (a: number, b: number, rows: readonly number[]): readonly (readonly [number, number])[] =>
  rows.map((n) => [n, a + b * n] as const);

describe('cost model', () => {
  test('knows nothing before the second batch: the first pays for warming up', () => {
    expect(learn([]).cost).toBeUndefined();
    expect(learn([[1, 900]]).cost).toBeUndefined();
    expect(learn([...line(900, 0, [1]), ...line(5, 0, [1])]).cost).toEqual({ fixedMs: 5, perRowMs: 0 });
  });

  test('finds the line that the batches lie on', () => {
    const { cost } = learn(line(5, 0.05, [1, 1, 8, 64, 100, 16]));
    expect(cost?.fixedMs).toBeCloseTo(5, 6);
    expect(cost?.perRowMs).toBeCloseTo(0.05, 6);
    expect(estimateBatchMs({ fixedMs: 5, perRowMs: 0.05 }, 100)).toBe(10);
  });

  test('takes the time of batches of one size as fixed', () => {
    expect(learn(line(4, 0.5, [8, 8, 8, 8])).cost).toEqual({ fixedMs: 8, perRowMs: 0 });
  });

  test('never makes a part of the line negative', () => {
    const falling = learn([[1, 1], [1, 10], [10, 1], [10, 1]]).cost; // prettier-ignore
    expect(falling?.perRowMs).toBe(0);
    const steep = learn([[1, 1], [5, 1], [10, 100]]).cost; // prettier-ignore
    expect(steep?.fixedMs).toBeCloseTo(0, 6);
    expect(steep?.perRowMs).toBeGreaterThan(0);
  });

  test('follows a model that becomes slower within some dozens of batches', () => {
    const rows = Array.from({ length: 100 }, (_, i) => (i % 10) + 1);
    const { cost } = learn([...line(2, 0.1, rows), ...line(20, 1, rows), ...line(20, 1, rows)]);
    expect(cost?.fixedMs).toBeGreaterThan(17);
    expect(cost?.perRowMs).toBeGreaterThan(0.85);
  });

  test('one batch that was held up for ten seconds changes little, and larger batches are no outliers', () => {
    const rows = Array.from({ length: 100 }, (_, i) => (i % 10) + 1);
    const model = learn([...line(5, 0.1, rows), [4, 10_000]]);
    expect(estimateBatchMs(model.cost ?? { fixedMs: 0, perRowMs: 0 }, 4)).toBeLessThan(6);
    const steep = learn(line(20, 2, [1, 1, 1, 100]));
    expect(steep.cost?.perRowMs).toBeCloseTo(2, 6);
  });

  test.each([
    ['slower', 2, 200],
    ['faster', 200, 2],
  ])('a model that is a hundred times %s is believed within a dozen batches', (_, before, after) => {
    const rows = Array.from({ length: 100 }, (_unused, i) => (i % 10) + 1);
    const { cost } = learn([...line(before, 0.1, rows), ...line(after, 0.1, rows.slice(0, 12))]);
    const estimate = estimateBatchMs(cost ?? { fixedMs: 0, perRowMs: 0 }, 5);
    expect(estimate / (after + 0.5)).toBeGreaterThan(0.5);
    expect(estimate / (after + 0.5)).toBeLessThan(2);
  });
});
