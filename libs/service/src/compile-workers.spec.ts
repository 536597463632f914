import { expect, test } from 'vitest';
import { caught } from '../test/caught.js';
import { compileWorkers, type WorkerOptions } from './compile-workers.js';

const env = [{ DEVICE: '0' }, { DEVICE: '1' }];

test.each<[string, WorkerOptions, number | 'auto']>([
  ['one worker unless asked', {}, 1],
  ['a number', { workers: 3 }, 3],
  ['as many as the machine has', { workers: 'auto' }, 'auto'],
  ['a worker for each CPU', { resources: { cpu: 4 } }, 4],
  ['a begun CPU counts', { resources: { cpu: '1500m' } }, 2],
  ['a part of a CPU is one worker', { resources: { cpu: 0.2 } }, 1],
  ['resources that say nothing', { resources: {}, workers: 2 }, 2],
  ['a worker for each environment', { perWorkerEnv: env }, 2],
  ['environments and an equal number', { perWorkerEnv: env, workers: 2 }, 2],
])('%s: %j is %s', (_, options, workers) => {
  expect(compileWorkers("runner 'r'", options)).toBe(workers);
});

test.each<[WorkerOptions, string]>([
  [{ workers: 2, resources: { cpu: 2 } }, 'workers and resources.cpu both say how many'],
  [{ workers: 1.5 }, "runner 'r': workers is 1.5"],
  [{ resources: { cpu: 'many' } }, "resources.cpu is 'many'"],
  [{ resources: { cpu: '' } }, "resources.cpu is ''"],
  [{ resources: { cpu: -1 } }, "resources.cpu is '-1'"],
  [{ perWorkerEnv: [] }, 'perWorkerEnv must be a list'],
  [{ perWorkerEnv: env, workers: 3 }, 'perWorkerEnv has 2 sets of variables, and 3 workers are asked for'],
  [{ perWorkerEnv: env, workers: 'auto' }, 'and auto workers are asked for'],
])('%j is refused', async (options, message) => {
  const error = await caught(() => compileWorkers("runner 'r'", options));
  expect(error.code).toBe('service_invalid');
  expect(error.message).toContain(message);
});
