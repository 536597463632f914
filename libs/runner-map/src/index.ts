export { parseRunnerMap, formatRunnerMap } from './parse-runner-map.js';
export type { RunnerMap, RunnerMapInput } from './parse-runner-map.js';
export { parseAddress, formatAddress } from './address.js';
export type { RunnerAddress } from './address.js';
export { checkRunnerMap } from './check-runner-map.js';
export type { MappedService } from './check-runner-map.js';
