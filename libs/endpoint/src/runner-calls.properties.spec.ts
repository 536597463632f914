import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RunnerCalls, type RunnerShares } from './runner-calls.js';

const ms = fc.double({ min: 0, max: 1000, noNaN: true });
const timing = fc.record({
  queueMs: ms,
  batchMs: ms,
  inferMs: ms,
  batchRows: fc.integer({ min: 1, max: 99 }),
});

/** One call: when it begins and how long it takes; without an end it is still under way; without a timing it failed. */
const call = fc.record({
  startMs: ms,
  lastsMs: fc.option(ms, { nil: undefined }),
  timing: fc.option(timing, { nil: undefined }),
});

/** Time in which at least one of the spans is open, by sorting their ends. */
function coveredMs(spans: readonly (readonly [number, number])[]): number {
  const covered = { ms: 0, until: -Infinity };
  for (const [start, end] of spans.toSorted((a, b) => a[0] - b[0])) {
    covered.ms += Math.max(0, end - Math.max(start, covered.until));
    covered.until = Math.max(covered.until, end);
  }
  return covered.ms;
}

function partsOf({ queueMs, batchMs, inferMs, hopMs, untoldMs }: RunnerShares): number[] {
  return [queueMs, batchMs, inferMs, hopMs, untoldMs];
}

test('however calls overlap, fail or are still under way, the parts add up to the time in which any was', () => {
  fc.assert(
    fc.property(fc.array(call, { maxLength: 30 }), (plans) => {
      const clock = { now: 0 };
      const calls = new RunnerCalls(() => clock.now);
      const endMs = 3000;
      const events = plans.flatMap(({ startMs, lastsMs, timing: told }) => {
        const state: { end?: () => void } = {};
        const begin = (): void => {
          const watch = calls.begin('runner', 'method');
          if (told !== undefined) watch.timed(told);
          state.end = () => watch.ended();
        };
        const events = [{ at: startMs, run: begin }];
        if (lastsMs !== undefined) events.push({ at: startMs + lastsMs, run: () => state.end?.() });
        return events;
      });
      // Stable: of two events at one time, a call's begin stays before its end.
      for (const { at, run } of events.toSorted((a, b) => a.at - b.at)) {
        clock.now = at;
        run();
      }
      clock.now = endMs;
      const shares = calls.shares();
      const spans = plans.map(({ startMs, lastsMs }): [number, number] => [
        startMs,
        lastsMs === undefined ? endMs : startMs + lastsMs,
      ]);
      expect(shares.callsMs).toBeCloseTo(coveredMs(spans), 6);
      const parts = partsOf(shares);
      expect(Math.min(...parts)).toBeGreaterThanOrEqual(0);
      const sum = parts.reduce((total, part) => total + part, 0);
      expect(sum).toBeCloseTo(shares.callsMs, 6);
      expect(shares.calls).toBe(plans.length);
    }),
  );
});
