import { performance } from 'node:perf_hooks';
import type { Beat } from '../ipc.js';
import { LoopDelaySampler } from './loop-delays.js';

/** Measures what this process does between one beat and the next. */
export class BeatMeter {
  readonly #delays = new LoopDelaySampler();
  #loop = performance.eventLoopUtilization();
  #cpu = process.cpuUsage();
  #takenAtMs = performance.now();

  constructor(private readonly intervalMs: number) {}

  /** What happened since the last call, or since the meter was made. */
  take(): Omit<Beat, 'connections'> {
    const nowMs = performance.now();
    const tookMs = Math.max(1, nowMs - this.#takenAtMs);
    const loop = performance.eventLoopUtilization();
    const cpu = process.cpuUsage();
    const usedMs = (cpu.user - this.#cpu.user + cpu.system - this.#cpu.system) / 1000;
    const { rss, heapUsed } = process.memoryUsage();
    const { maxMs, medianMs } = this.#delays.take();
    const beat = {
      lateMs: round(Math.max(0, tookMs - this.intervalMs), 10),
      lagMs: round(maxMs, 10),
      lagP50Ms: round(medianMs, 10),
      utilization: round(performance.eventLoopUtilization(loop, this.#loop).utilization, 1000),
      cpu: round(usedMs / tookMs, 1000),
      rssBytes: rss,
      heapBytes: heapUsed,
    };
    this.#loop = loop;
    this.#cpu = cpu;
    this.#takenAtMs = nowMs;
    return beat;
  }
}

function round(value: number, steps: number): number {
  return Math.round(value * steps) / steps;
}
