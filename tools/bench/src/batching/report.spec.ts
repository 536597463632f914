import { expect, test } from 'vitest';
import { aimsOf, formatGain, type GainSample } from './report.js';

const sample = (runner: string, connections: number, requests: number, p99Ms: number): GainSample => ({
  ...{ runner, connections, round: 1, requests, p99Ms },
  ...{ wallMs: 1000, cpuMs: requests, meanMs: 1, runnerMeanMs: 1, p50Ms: 1 },
});
const samples = [
  sample('single', 1, 200, 5),
  sample('batched', 1, 200, 15),
  sample('single', 64, 200, 300),
  sample('batched', 64, 900, 30),
  // A disturbed round counts as one of three.
  ...[900, 10].map((requests) => sample('batched', 64, requests, 30)),
];

test('the gain is that of the most clients, the p99 that of the worst', () => {
  const [gain, p99] = aimsOf(samples);
  expect(gain).toMatchObject({ measured: '4.5', reached: false });
  expect(p99).toMatchObject({ measured: '3', reached: false });
});

test('each number of clients has a row with both runners beside each other', () => {
  const [, , one, many] = formatGain(samples).split('\n');
  expect(one).toContain('| 1       | 200 · 1 · 5   | 200 · 1 · 15           | 1 ×        | 3 ×');
  expect(many).toContain('| 64      | 200 · 1 · 300 | 900 · 1 · 30           | 4.5 ×      | 0.1 ×');
});
