import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileRestartPolicy, type Crash, decideRestart, DEFAULT_RESTART_POLICY } from './restart-policy.js';

const policy = DEFAULT_RESTART_POLICY;
const middle = (): number => 0.5;

/** Decides crash after crash, `gapMs` apart. */
function crashes(count: number, gapMs: number, readyForMs = 10) {
  let past: readonly Crash[] = [];
  return Array.from({ length: count }, (_, index) => {
    const decision = decideRestart(policy, past, { atMs: index * gapMs, readyForMs }, middle);
    past = decision.past;
    return decision;
  });
}

describe('decideRestart', () => {
  test('the first crash is answered at once, each further one after twice the time', () => {
    expect(crashes(5, 10).map((decision) => decision.delayMs)).toEqual([0, 100, 200, 400, 800]);
  });

  test('one crash more than the limit within the window is a crash loop, at the longest delay', () => {
    const decisions = crashes(policy.maxCrashes + 1, 10);
    expect(decisions.map((decision) => decision.isCrashLoop)).toEqual([
      false,
      false,
      false,
      false,
      false,
      true,
    ]);
    expect(decisions.at(-1)?.delayMs).toBe(policy.maxDelayMs);
  });

  test('crashes that are older than the window do not count', () => {
    const decisions = crashes(20, policy.windowMs / policy.maxCrashes + 1);
    expect(decisions.some((decision) => decision.isCrashLoop)).toBe(false);
  });

  test('a worker that was ready for long has its past forgiven', () => {
    const decisions = crashes(20, 10, policy.resetAfterMs);
    expect(decisions.every((decision) => decision.delayMs === 0 && !decision.isCrashLoop)).toBe(true);
  });

  test('with no crash allowed the first one is a loop', () => {
    const strict = { ...policy, maxCrashes: 0 };
    expect(decideRestart(strict, [], { atMs: 0, readyForMs: 5 }, middle)).toMatchObject({
      isCrashLoop: true,
    });
  });

  test('whatever happens, a delay is between 0 and the longest one, and the past stays within limit + 1', () => {
    const gaps = fc.array(
      fc.record({
        gapMs: fc.nat(20_000),
        readyForMs: fc.nat(40_000),
        dice: fc.float({ min: 0, max: 1, noNaN: true }),
      }),
    );
    fc.assert(
      fc.property(gaps, (all) => {
        let past: readonly Crash[] = [];
        let atMs = 0;
        for (const { gapMs, readyForMs, dice } of all) {
          atMs += gapMs;
          const decision = decideRestart(policy, past, { atMs, readyForMs }, () => dice);
          expect(decision.delayMs).toBeGreaterThanOrEqual(0);
          expect(decision.delayMs).toBeLessThanOrEqual(policy.maxDelayMs);
          expect(decision.isCrashLoop).toBe(decision.past.length > policy.maxCrashes);
          past = decision.past;
        }
      }),
    );
  });

  test('it is a crash loop exactly when more than the limit lie within the window, however they are spread', () => {
    const short = { ...policy, maxCrashes: 3, windowMs: 1000 };
    fc.assert(
      fc.property(fc.array(fc.nat(600), { minLength: 1, maxLength: 30 }), (gaps) => {
        const times = gaps.map((_, index) => gaps.slice(0, index + 1).reduce((sum, gap) => sum + gap, 0));
        times.reduce<readonly Crash[]>((past, atMs, index) => {
          const decision = decideRestart(short, past, { atMs, readyForMs: 0 }, middle);
          const within = times.slice(0, index + 1).filter((time) => atMs - time < short.windowMs);
          expect(decision.isCrashLoop).toBe(within.length > short.maxCrashes);
          return decision.past;
        }, []);
      }),
    );
  });

  test('jitter moves a delay by no more than its fraction', () => {
    const past = [{ atMs: 0, readyForMs: 0 }];
    const delays = [0, 0.5, 1].map(
      (dice) => decideRestart(policy, past, { atMs: 1, readyForMs: 0 }, () => dice).delayMs,
    );
    expect(delays).toEqual([80, 100, 120]);
  });
});

describe('compileRestartPolicy', () => {
  test('what is not given is the default', () => {
    expect(compileRestartPolicy({ maxCrashes: 2 }, 'here')).toEqual({ ...policy, maxCrashes: 2 });
  });

  test.each([
    [{ factor: 0.5 }, 'here: restart.factor is 0.5; expected a number from 1'],
    [{ maxDelayMs: -1 }, 'here: restart.maxDelayMs is -1; expected a number from 0'],
    [{ jitter: 2 }, 'here: restart.jitter is 2; expected 0 to 1'],
  ])('%j is refused by name', (options, message) => {
    expect(() => compileRestartPolicy(options, 'here')).toThrow(message);
  });
});
