import { expect, test } from 'vitest';
import { aimsOf, type AgreeSample, deviation, formatAgree } from './report.js';

const sample = (load: string, perSecond: number, meanMs: number, meanBatch: number): AgreeSample => ({
  ...{ load, simulated: { perSecond: 100, meanMs: 50, meanBatch: 4 } },
  ...{ real: { perSecond, meanMs, meanBatch }, clientMs: 55, batchMs: 44.5, plannedBatchMs: 44 },
});
const samples = [sample('few', 100, 53, 4), sample('many', 95, 46, 4.6)];

test('a deviation is a share of what was simulated, to either side', () => {
  expect(deviation(sample('few', 100, 53, 4), 'meanMs')).toBeCloseTo(6);
  expect(deviation(sample('many', 95, 46, 4.6), 'perSecond')).toBeCloseTo(-5);
});

test('the worst load of each figure counts, whichever side it is on', () => {
  expect(aimsOf(samples).map(({ measured, reached }) => [measured, reached])).toEqual([
    ['5 %', true],
    ['8 %', true],
    ['15 %', false],
  ]);
});

test('both worlds stand beside each other', () => {
  const [, , few] = formatAgree(samples).split('\n');
  expect(few?.split('|').map((cell) => cell.trim())).toEqual([
    '',
    ...['few', '100 · 50 · 4', '100 · 53 · 4', '55', '0.0 % · 6.0 % · 0.0 %', '44.5 (44)'],
    '',
  ]);
});
