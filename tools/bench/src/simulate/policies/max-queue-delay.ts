import { createDecidingBatcher, type Policy } from '../policy.js';

/** Triton's dynamic batcher: an idle runner waits until the batch is full or the oldest request is `delayMs` old. */
export function maxQueueDelay(delayMs: number): Policy {
  return {
    name: `max queue delay ${delayMs} ms`,
    create: (machine) =>
      createDecidingBatcher(machine, ({ now, queued, maxBatchSize, oldestAt }) => {
        const until = oldestAt + delayMs;
        return queued >= maxBatchSize || now >= until ? { run: queued } : { until };
      }),
  };
}
