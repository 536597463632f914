export { loadService } from './load-service.js';
export { warmUpLoader } from './warm-up-loader.js';
export type { LoadedService } from './load-service.js';
export { resolveWorkingDir } from './working-dir.js';
export type { DescribeAnswer, DescribedService, DescribeTask } from './describe-task.js';
