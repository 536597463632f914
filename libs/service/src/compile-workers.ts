import { checkWholeNumber, invalidService } from './invalid-service.js';

/** What a runner may ask of the machine. */
export interface RunnerResources {
  /** CPUs: `2`, `0.5` or `'500m'` (thousandths). */
  readonly cpu?: number | string;
}

/** The ways to say how many workers a runner has. */
export interface WorkerOptions {
  readonly workers?: number | 'auto';
  readonly resources?: RunnerResources;
  readonly perWorkerEnv?: readonly Readonly<Record<string, string>>[];
}

/** The number of workers that the options ask for; contradictory options are refused. */
export function compileWorkers(where: string, options: WorkerOptions): number | 'auto' {
  const { workers, resources, perWorkerEnv } = options;
  const cpu = resources?.cpu;
  if (workers !== undefined && cpu !== undefined) {
    throw invalidService(`${where}: workers and resources.cpu both say how many workers; give one of them`);
  }
  if (workers !== undefined && workers !== 'auto') checkWholeNumber(`${where}: workers`, workers, 1);
  const asked = cpu === undefined ? workers : Math.max(1, Math.ceil(parseCpu(where, cpu)));
  if (perWorkerEnv === undefined) return asked ?? 1;
  if (!Array.isArray(perWorkerEnv) || perWorkerEnv.length === 0) {
    throw invalidService(`${where}: perWorkerEnv must be a list with one set of variables a worker`);
  }
  if (asked !== undefined && asked !== perWorkerEnv.length) {
    const sets = `perWorkerEnv has ${perWorkerEnv.length} sets of variables`;
    throw invalidService(`${where}: ${sets}, and ${asked} workers are asked for; make them equal`);
  }
  return perWorkerEnv.length;
}

function parseCpu(where: string, cpu: number | string): number {
  const text = String(cpu);
  const value = text.endsWith('m') ? Number(text.slice(0, -1)) / 1000 : Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && value > 0) return value;
  throw invalidService(`${where}: resources.cpu is '${text}', expected CPUs as 2, 0.5 or '500m'`);
}
