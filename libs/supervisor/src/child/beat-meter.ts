import { type IntervalHistogram, monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { Beat } from '../ipc.js';

/** How finely delays of the event loop are sampled; finer costs an idle process more wake-ups than it is worth. */
const RESOLUTION_MS = 20;

/** Measures what this process does between one beat and the next. */
export class BeatMeter {
  readonly #delays: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #loop = performance.eventLoopUtilization();
  #cpu = process.cpuUsage();
  #takenAtMs = performance.now();

  constructor(private readonly intervalMs: number) {
    this.#delays.enable();
  }

  /** What happened since the last call, or since the meter was made. */
  take(): Beat {
    const nowMs = performance.now();
    const tookMs = Math.max(1, nowMs - this.#takenAtMs);
    const loop = performance.eventLoopUtilization();
    const cpu = process.cpuUsage();
    const usedMs = (cpu.user - this.#cpu.user + cpu.system - this.#cpu.system) / 1000;
    const { rss, heapUsed } = process.memoryUsage();
    const lateMs = Math.max(0, tookMs - this.intervalMs);
    const beat = {
      lateMs: round(lateMs, 10),
      // After a block this may run before the sampler does, which then tells it only in the next beat.
      lagMs: round(Math.max(lateMs, this.#delayMs(this.#delays.max)), 10),
      lagP50Ms: round(this.#delayMs(this.#delays.percentile(50)), 10),
      utilization: round(performance.eventLoopUtilization(loop, this.#loop).utilization, 1000),
      cpu: round(usedMs / tookMs, 1000),
      rssBytes: rss,
      heapBytes: heapUsed,
    };
    this.#loop = loop;
    this.#cpu = cpu;
    this.#takenAtMs = nowMs;
    this.#delays.reset();
    return beat;
  }

  /** The histogram counts the sampler's own pause as well. */
  #delayMs(nanoseconds: number): number {
    return Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
  }
}

function round(value: number, steps: number): number {
  return Math.round(value * steps) / steps;
}
