import type { Environment } from '@bentots/config';

/** What is known of the machine when workers are planned. */
export interface ThreadFacts {
  readonly cpus: number;
  /** Variables that the workers inherit: a hint that is set there already stays as it is. */
  readonly environment: Environment;
}

/** Numeric libraries read one of these to choose how many threads they start. */
const THREAD_HINTS = [
  'BENTOTS_NUM_THREADS',
  'OMP_NUM_THREADS',
  'OPENBLAS_NUM_THREADS',
  'MKL_NUM_THREADS',
  'VECLIB_MAXIMUM_THREADS',
  'NUMEXPR_NUM_THREADS',
  'RAYON_NUM_THREADS',
  'TF_NUM_INTEROP_THREADS',
  'TF_NUM_INTRAOP_THREADS',
] as const;

/** Node's own pool serves files and name look-ups too, so it never gets smaller than Node makes it. */
const NODE_POOL = 4;

/** Each of `workers` gets its share of the CPUs, at least one thread, so that together they do not over-subscribe. */
export function planThreads(workers: number, { cpus, environment }: ThreadFacts): Record<string, string> {
  const threads = Math.max(1, Math.floor(cpus / workers));
  const hints: Record<string, number> = { UV_THREADPOOL_SIZE: Math.max(NODE_POOL, threads) };
  for (const name of THREAD_HINTS) hints[name] = threads;
  const unset = Object.entries(hints).filter(([name]) => !environment[name]);
  return Object.fromEntries(unset.map(([name, value]) => [name, String(value)]));
}
