import { Dispatcher, type DispatcherClock } from '@bentots/batching';
import type { Batcher, Machine, Policy, SimRequest } from '../policy.js';

/** The product itself: the Dispatcher of `@bentots/batching`, living in virtual time. */
export const realDispatcher: Policy = {
  name: 'BentoTS Dispatcher (the real one)',
  usesPromises: true,
  create: (machine) => new DispatcherUnderTest(machine),
};

class DispatcherUnderTest implements Batcher {
  readonly #machine: Machine;
  readonly #dispatcher: Dispatcher<SimRequest, SimRequest, number>;
  readonly #ends = new Map<number, (outputs: readonly SimRequest[]) => void>();

  constructor(machine: Machine) {
    this.#machine = machine;
    const clock: DispatcherClock = {
      now: () => machine.now(),
      epochNow: () => machine.now(),
      after: (delayMs, fn) => machine.after(delayMs, fn),
      // Planned behind everything that is already planned for this very moment, as an immediate is.
      defer: (fn) => void machine.after(0, fn),
    };
    const taken = new Set<number>();
    const free = (): readonly number[] => machine.freeWorkers().filter((worker) => !taken.has(worker));
    this.#dispatcher = new Dispatcher<SimRequest, SimRequest, number>({
      name: 'simulated.method',
      maxBatchSize: machine.maxBatchSize,
      maxLatencyMs: 60_000,
      rowsOf: () => 1,
      clock,
      workers: {
        size: machine.workers,
        get free() {
          return free().length;
        },
        take() {
          const [worker] = free();
          if (worker !== undefined) taken.add(worker);
          return worker;
        },
        release: (worker) => void taken.delete(worker),
      },
      execute: (batch, _signal, worker) =>
        new Promise((resolve) => {
          this.#ends.set(worker, resolve);
          machine.start(batch, worker);
        }),
    });
  }

  arrived(request: SimRequest): void {
    const { deadlineAt, priority } = request;
    const options = deadlineAt === Infinity ? { priority } : { priority, deadline: deadlineAt };
    this.#dispatcher.submit(request, options).catch(() => this.#machine.refuse(request));
  }

  finished(batch: readonly SimRequest[], _tookMs: number, worker: number): void {
    this.#ends.get(worker)?.(batch);
  }
}
