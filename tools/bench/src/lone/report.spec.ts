import { expect, test } from 'vitest';
import { aimsOf, formatLone, type LoneSample, type Moment } from './report.js';

const sample = (moment: Moment, batching: boolean, round: number, p50Ms: number): LoneSample => ({
  ...{ model: 'light', moment, batching, round, p50Ms },
  ...{ requests: 100, wallMs: 1000, meanMs: p50Ms, runnerMeanMs: p50Ms, p99Ms: p50Ms },
});
const samples = [
  ...[1, 2, 1.5].flatMap((p50, round) => [
    sample('quiet', false, round, p50),
    sample('quiet', true, round, p50 * 1.04),
  ]),
  sample('after a burst', false, 0, 1),
  sample('after a burst', true, 0, 1.2),
];

test('each moment is an aim of its own: quiet may hold where a burst does not', () => {
  expect(aimsOf(samples)).toMatchObject([
    { what: 'lone client, light, quiet: p50, times that without batching', measured: '1.04', reached: true },
    { measured: '1.2', reached: false },
  ]);
});

test('the table compares the middle rounds, and the best ones', () => {
  const [, , quiet] = formatLone(samples).split('\n');
  expect(quiet?.split('|').map((cell) => cell.trim())).toEqual([
    '',
    ...['light', 'quiet', '1.5', '1.56', '1.04', '1.04'],
    '',
  ]);
});
