/**
 * What a batch of the timed model costs: 72 ms when it is full, so that 444 requests a second are all it can do, and
 * five times as many do not wear out two cores.
 */
export const COST = { fixedMs: 40, perRowMs: 1, maxBatchSize: 32 } as const;
