import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { posix } from 'node:path';

/** What {@link countCpus} looks at; tests bring their own machine. */
export interface Machine {
  /** Logical CPUs this process may run on. */
  readonly available: number;
  /** The text of a file, or undefined when it cannot be read. */
  readonly read: (path: string) => string | undefined;
}

const CGROUP_ROOT = '/sys/fs/cgroup';

/**
 * How many CPUs this process may use: those it is scheduled on, cut down to the container's quota (cgroup v2 or v1)
 * and rounded up, so that half a CPU counts as one. At least 1.
 */
export function countCpus(machine: Machine = thisMachine()): number {
  const quotas = [...readQuotasV2(machine), ...readQuotasV1(machine)];
  return Math.max(1, Math.min(machine.available, ...quotas.map(Math.ceil)));
}

/** Quotas of the process's own group and of every group around it: each of them limits. */
function readQuotasV2({ read }: Machine): number[] {
  const own = /^0::(\/.*)$/m.exec(read('/proc/self/cgroup') ?? '')?.[1] ?? '/';
  const folders = new Set<string>([CGROUP_ROOT]);
  for (let path = own; path !== '/'; path = posix.dirname(path)) folders.add(posix.join(CGROUP_ROOT, path));
  return [...folders].flatMap((folder) => {
    const [quota, period] = (read(`${folder}/cpu.max`) ?? '').trim().split(/\s+/);
    return toCpus(quota, period);
  });
}

function readQuotasV1({ read }: Machine): number[] {
  return toCpus(
    read(`${CGROUP_ROOT}/cpu/cpu.cfs_quota_us`)?.trim(),
    read(`${CGROUP_ROOT}/cpu/cpu.cfs_period_us`)?.trim(),
  );
}

/** `max` and -1 mean no limit; both end here as no number. */
function toCpus(quota: string | undefined, period: string | undefined): number[] {
  const cpus = Number(quota) / Number(period);
  return Number.isFinite(cpus) && cpus > 0 ? [cpus] : [];
}

function thisMachine(): Machine {
  return {
    available: availableParallelism(),
    read: (path) => {
      try {
        return readFileSync(path, 'utf8');
      } catch {
        return undefined; // not Linux, or not this version of cgroups
      }
    },
  };
}
