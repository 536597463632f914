import { createDecidingBatcher, type Policy } from '../policy.js';

/**
 * Knows the cost of a batch and the arrivals that are on their way, and waits for as many of them as makes the sum of
 * all their answers earliest, looking one batch ahead: a yardstick that no server can know, and not the
 * best possible where a greedy choice now makes the batch after next worse.
 */
export const oracle: Policy = {
  name: 'oracle, one batch ahead',
  create: (machine) =>
    createDecidingBatcher(machine, ({ now, queued, maxBatchSize }) => {
      const free = Math.max(0, maxBatchSize - queued);
      const horizon = now + machine.foreseenCostMs(Math.min(queued, maxBatchSize));
      const coming = machine.foreseenArrivals().filter((at) => at < horizon);
      const sumOfAnswers = (taken: number): number => {
        const startAt = taken === 0 ? now : (coming[taken - 1] ?? now);
        const endAt = startAt + machine.foreseenCostMs(Math.min(queued, maxBatchSize) + taken);
        const left = coming.length - taken;
        const nextEndAt = endAt + machine.foreseenCostMs(Math.max(1, Math.min(left, maxBatchSize)));
        return (queued + taken) * endAt + left * nextEndAt;
      };
      const counts = Array.from({ length: Math.min(free, coming.length) + 1 }, (_, taken) => taken);
      const best = counts.reduce((a, b) => (sumOfAnswers(b) < sumOfAnswers(a) ? b : a), 0);
      return best === 0 ? { run: queued } : { until: coming[best - 1] ?? now };
    }),
};
