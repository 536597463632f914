import type { Batcher, Machine, Policy, SimRequest } from '../policy.js';
import { CorkModel } from './cork-model.js';

const TICK_MS = 1;
const DECAY = 0.95;
const WARM_UP_BATCHES = 8;
/** Sizes that training aims at, one batch each. */
const TRAINED_SIZES = [1, 2, 3];

/**
 * BentoML's CorkDispatcher, written anew from a description of its behaviour: a controller that polls every
 * millisecond, learns in eleven training batches, sheds the oldest request that it thinks too late, and holds back
 * while the time lost by the queued looks smaller than what waiting usually costs.
 */
export function corkDispatcher(maxLatencyMs = 60_000): Policy {
  return {
    name:
      maxLatencyMs === 60_000 ? "BentoML's CorkDispatcher" : `CorkDispatcher, max latency ${maxLatencyMs} ms`,
    create: (machine) => new CorkDispatcher(machine, maxLatencyMs),
  };
}

class CorkDispatcher implements Batcher {
  readonly #machine: Machine;
  readonly #maxLatencyMs: number;
  readonly #model: CorkModel;
  readonly #queue: SimRequest[] = [];
  #batches = 0;
  #polling = false;
  #runWaitMs = 0;

  constructor(machine: Machine, maxLatencyMs: number) {
    this.#machine = machine;
    this.#maxLatencyMs = maxLatencyMs;
    this.#model = new CorkModel(maxLatencyMs);
  }

  arrived(request: SimRequest): void {
    this.#queue.push(request);
    // An empty queue is waited for by an event; after that the controller polls.
    if (this.#polling) return;
    this.#polling = true;
    this.#machine.after(0, () => this.#poll());
  }

  finished(batch: readonly SimRequest[], tookMs: number): void {
    const now = this.#machine.now();
    this.#batches += 1;
    this.#model.log({ requests: batch.length, tookMs, waitMs: this.#runWaitMs }, now);
    const trained = this.#batches - WARM_UP_BATCHES;
    if (trained >= 1 && trained <= TRAINED_SIZES.length) this.#model.fit(now);
  }

  #poll(): void {
    while (this.#step());
    this.#polling = this.#queue.length > 0;
    if (this.#polling) this.#machine.after(TICK_MS, () => this.#poll());
  }

  /** One turn of the controller; true when it goes on at once, false when it sleeps or waits for a request. */
  #step(): boolean {
    const now = this.#machine.now();
    const [oldest] = this.#queue;
    const newest = this.#queue.at(-1);
    if (oldest === undefined || newest === undefined) return false;
    const oldestMs = now - oldest.arrivedAt;
    if (this.#isTooLate(oldestMs)) {
      this.#queue.shift();
      this.#machine.refuse(oldest);
      return true;
    }
    const [worker] = this.#machine.freeWorkers();
    if (worker === undefined) return false;
    if (this.#isHeldBack(oldestMs, now - newest.arrivedAt)) return false;
    this.#runWaitMs = oldestMs;
    this.#machine.start(this.#queue.splice(0, this.#machine.maxBatchSize), worker);
    return true;
  }

  get #sizeInTraining(): number | undefined {
    return this.#batches < WARM_UP_BATCHES ? 1 : TRAINED_SIZES[this.#batches - WARM_UP_BATCHES];
  }

  #isTooLate(oldestMs: number): boolean {
    const queued = this.#queue.length;
    const size = this.#sizeInTraining;
    if (size !== undefined) return oldestMs >= this.#maxLatencyMs && queued > size;
    const { perRequestMs, fixedMs } = this.#model;
    if (queued > 1) return oldestMs + perRequestMs * queued + fixedMs >= this.#maxLatencyMs;
    return this.#machine.freeWorkers().length === 0 && oldestMs >= this.#maxLatencyMs;
  }

  #isHeldBack(oldestMs: number, newestMs: number): boolean {
    const queued = this.#queue.length;
    const { perRequestMs, fixedMs, waitMs } = this.#model;
    const size = this.#sizeInTraining;
    if (size !== undefined) {
      const limitMs = Math.min(DECAY * this.#maxLatencyMs, (2 * size + 1) * perRequestMs + fixedMs);
      return queued < size && size * perRequestMs + fixedMs + oldestMs <= limitMs;
    }
    if (queued >= this.#machine.maxBatchSize) return false;
    return queued * (newestMs + TICK_MS + perRequestMs) <= DECAY * waitMs;
  }
}
