import { describe, expect, test } from 'vitest';

import { countCpus } from './count-cpus.js';

function machine(available: number, files: Readonly<Record<string, string>> = {}) {
  return { available, read: (path: string) => files[path] };
}

describe('countCpus', () => {
  test('without cgroups it is what the process is scheduled on', () => {
    expect(countCpus(machine(6))).toBe(6);
  });

  test.each([
    ['150000 100000\n', 2],
    ['50000 100000\n', 1],
    ['max 100000\n', 8],
    ['900000 100000\n', 8],
    ['garbage', 8],
  ])('cgroup v2 quota %j of 8 CPUs makes %i', (text, cpus) => {
    expect(countCpus(machine(8, { '/sys/fs/cgroup/cpu.max': text }))).toBe(cpus);
  });

  test('the tightest quota of the group and its parents counts', () => {
    const files = {
      '/proc/self/cgroup': '0::/pods/pod-1\n',
      '/sys/fs/cgroup/cpu.max': 'max 100000',
      '/sys/fs/cgroup/pods/cpu.max': '300000 100000',
      '/sys/fs/cgroup/pods/pod-1/cpu.max': '700000 100000',
    };
    expect(countCpus(machine(16, files))).toBe(3);
  });

  test.each([
    ['250000', 3],
    ['-1', 8],
  ])('cgroup v1 quota %s of 8 CPUs makes %i', (quota, cpus) => {
    const files = {
      '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': `${quota}\n`,
      '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
    };
    expect(countCpus(machine(8, files))).toBe(cpus);
  });

  test('this machine has at least one', () => {
    expect(countCpus()).toBeGreaterThanOrEqual(1);
  });
});
