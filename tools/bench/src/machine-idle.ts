import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

/** Times of all processors since the machine was started, in milliseconds. */
interface CpuTimes {
  readonly idle: number;
  readonly all: number;
}

/** The share of the time between two readings in which processors had nothing to do. */
export function idleShare(before: CpuTimes, after: CpuTimes): number {
  return (after.idle - before.idle) / (after.all - before.all);
}

/** Resolves when the machine was idle, nine tenths of its processors' time, for ten seconds. */
export async function untilIdle(): Promise<void> {
  for (;;) {
    const before = readTimes();
    await sleep(10_000);
    const share = idleShare(before, readTimes());
    if (share > 0.9) return;
    console.error(`idle ${Math.round(share * 100)} %: waiting`);
  }
}

function readTimes(): CpuTimes {
  const times = cpus().map((cpu) => cpu.times);
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  return {
    idle: sum(times.map(({ idle }) => idle)),
    all: sum(times.flatMap((each) => Object.values(each))),
  };
}
