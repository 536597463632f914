import { expect, test } from 'vitest';
import { treeCpuMs } from './tree-cpu.js';

test('the CPU time of a tree grows with the work in it', () => {
  const before = treeCpuMs(process.pid);
  const own = process.cpuUsage();
  const spent = (): number => Object.values(process.cpuUsage(own)).reduce((sum, us) => sum + us / 1000, 0);
  while (spent() < 100);
  const grown = treeCpuMs(process.pid) - before;
  expect(grown).toBeGreaterThanOrEqual(80);
  expect(treeCpuMs(2 ** 30)).toBe(0);
});
