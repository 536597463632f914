/** How often the event loop is asked; more often costs an idle process more wake-ups than it is worth. */
const SAMPLE_MS = 20;

/** How long the event loop let others wait, over some time. */
export interface LoopDelays {
  readonly maxMs: number;
  readonly medianMs: number;
}

/**
 * Samples how late the event loop runs what is due. Not `monitorEventLoopDelay`: after each reset that one forgets the wait
 * until its next sample, and so a block that begins right after a beat.
 */
export class LoopDelaySampler {
  #delays: number[] = [];
  #dueAtMs = performance.now() + SAMPLE_MS;

  constructor() {
    setInterval(() => this.#sample(), SAMPLE_MS).unref();
  }

  /** The delays since the last call. */
  take(): LoopDelays {
    // After a block the caller may be run before the sampler is.
    this.#sample();
    const delays = this.#delays.sort((a, b) => a - b);
    this.#delays = [];
    return { maxMs: delays.at(-1) ?? 0, medianMs: delays[Math.floor((delays.length - 1) / 2)] ?? 0 };
  }

  #sample(): void {
    const nowMs = performance.now();
    this.#delays.push(Math.max(0, nowMs - this.#dueAtMs));
    this.#dueAtMs = nowMs + SAMPLE_MS;
  }
}
