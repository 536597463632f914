import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { BeatMeter } from './beat-meter.js';

const block = (ms: number): void => {
  for (const end = performance.now() + ms; performance.now() < end;);
};
/** So that a sampler that is due has run. */
const settle = () => sleep(60);

test('a block is told in full wherever it lies between two beats, and in one of them only', async () => {
  const meter = new BeatMeter(1000);
  await settle();
  const cases = {
    rightAfterTheBeat: async () => {
      block(400);
      await settle();
    },
    rightBeforeTheBeat: async () => {
      await settle();
      block(400);
    },
    between: async () => {
      await settle();
      block(400);
      await settle();
    },
  };
  for (const [where, run] of Object.entries(cases)) {
    meter.take();
    await run();
    expect(meter.take().lagMs, where).toBeGreaterThanOrEqual(375);
    await settle();
    expect(meter.take().lagMs, where).toBeLessThan(300);
  }
});

test('a loop that runs freely has no lag in the median, and no use', async () => {
  const meter = new BeatMeter(1000);
  meter.take();
  // Time has to pass: it is what is measured.
  await sleep(600);
  const beat = meter.take();
  expect(beat.lagP50Ms).toBeLessThan(50);
  expect(beat.utilization).toBeLessThan(0.5);
});

test('CPU is the share of one core since the last beat', () => {
  const meter = new BeatMeter(100);
  block(300);
  const { cpu, utilization, lateMs } = meter.take();
  expect(cpu).toBeGreaterThan(0.1);
  expect(cpu).toBeLessThan(4);
  expect(utilization).toBeGreaterThan(0.9);
  expect(lateMs).toBeGreaterThanOrEqual(200);
});
