import type { Policy, SimRequest } from '../policy.js';

/**
 * The first request opens a window of `windowMs`; when it closes, or the batch is full, what has come is a batch. The
 * window runs on while the runner is busy; a closed batch waits for the runner and still takes on what comes meanwhile.
 */
export function fixedWindow(windowMs: number): Policy {
  return {
    name: `fixed window ${windowMs} ms`,
    create(machine) {
      const queue: SimRequest[] = [];
      let closesAt = Infinity;
      const step = (): void => {
        const due = machine.now() >= closesAt || queue.length >= machine.maxBatchSize;
        const [worker] = machine.freeWorkers();
        if (worker === undefined || queue.length === 0 || !due) return;
        closesAt = Infinity;
        machine.start(queue.splice(0, machine.maxBatchSize), worker);
        if (queue.length > 0) open();
      };
      const open = (): void => {
        closesAt = machine.now() + windowMs;
        machine.after(windowMs, step);
      };
      return {
        arrived(request) {
          queue.push(request);
          if (closesAt === Infinity) open();
          step();
        },
        finished: step,
      };
    },
  };
}
