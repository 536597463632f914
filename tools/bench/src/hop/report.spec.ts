import { expect, test } from 'vitest';
import type { Sample } from './pair.js';
import { aimsOf, formatReport, PICTURE_BYTES, summarize } from './report.js';

const sample = (stack: string, cpuMs: number, calls = 100): Sample => {
  const what = { stack, transport: 'tcp' as const, bytes: 16, concurrency: 1 };
  return { ...what, calls, wallMs: 100, clientCpuMs: cpuMs / 2, serverCpuMs: cpuMs / 2 };
};

test('rounds of one kind become their middle and their best', () => {
  const cells = summarize([sample('a', 30), sample('b', 1), sample('a', 10), sample('a', 20)]);
  expect(cells).toHaveLength(2);
  expect(cells[0]).toMatchObject({ stack: 'a', cpu: 0.2, bestCpu: 0.1, callsPerSecond: 1000 });
});

test('other stacks are told as multiples of ours on the same kind of socket', () => {
  const cells = summarize([
    sample('ours', 10),
    sample('other', 50),
    { ...sample('other', 80), transport: 'unix' },
  ]);
  const [, ratios] = formatReport(cells, 'ours').split('times the CPU of ours');
  expect(ratios).toContain('| other, tcp  | 5 (5)');
  expect(ratios).toMatch(/\| other, unix \| +\|/);
});

test('each kind of socket has its own aims, from 16 small calls at a time and all pictures', () => {
  const small = (stack: string, cpuMs: number): Sample => ({ ...sample(stack, cpuMs), concurrency: 16 });
  const large = (stack: string, cpuMs: number, concurrency: number): Sample => ({
    ...sample(stack, cpuMs),
    ...{ bytes: PICTURE_BYTES, concurrency },
  });
  const cells = summarize([
    ...[small('ours', 10), small('undici → node:http', 60), small('grpc-js unary', 150)],
    ...[large('ours', 10, 1), large('raw socket', 5, 1), large('ours', 10, 16), large('raw socket', 4, 16)],
  ]);
  expect(aimsOf(cells, 'ours').map(({ measured, reached }) => [measured, reached])).toEqual([
    ['6', true],
    ['15', false],
    ['2', true],
    ['2.5', false],
  ]);
});
