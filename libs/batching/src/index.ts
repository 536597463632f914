export { Dispatcher } from './dispatcher.js';
export type { BatchFacts, DispatcherOptions, SubmitOptions } from './dispatcher-options.js';
export { systemClock } from './clock.js';
export type { DispatcherClock } from './clock.js';
export { decide } from './policy.js';
export type { Decision, PolicyFacts } from './policy.js';
export { CostModel, estimateBatchMs } from './cost-model.js';
export type { BatchCost } from './cost-model.js';
export type { LastAnswers, ReturnHabit } from './return-model.js';
