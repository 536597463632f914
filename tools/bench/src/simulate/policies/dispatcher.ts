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
  readonly #dispatcher: Dispatcher<SimRequest, SimRequest>;
  #end: (outputs: readonly SimRequest[]) => void = () => undefined;

  constructor(machine: Machine) {
    this.#machine = machine;
    const clock: DispatcherClock = {
      now: () => machine.now(),
      epochNow: () => machine.now(),
      after: (delayMs, fn) => machine.after(delayMs, fn),
      // Planned behind everything that is already planned for this very moment, as an immediate is.
      defer: (fn) => void machine.after(0, fn),
    };
    this.#dispatcher = new Dispatcher({
      name: 'simulated.method',
      maxBatchSize: machine.maxBatchSize,
      maxLatencyMs: 60_000,
      rowsOf: () => 1,
      clock,
      execute: (batch) =>
        new Promise((resolve) => {
          this.#end = resolve;
          machine.start(batch);
        }),
    });
  }

  arrived(request: SimRequest): void {
    this.#dispatcher.submit(request).catch(() => this.#machine.refuse(request));
  }

  finished(batch: readonly SimRequest[]): void {
    this.#end(batch);
  }
}
