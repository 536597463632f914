import { describe, expect, test } from 'vitest';
import { isSilent, wakeTime } from './heartbeat.js';

describe('isSilent', () => {
  test('a worker is silent when its last beat is older than the limit', () => {
    expect(isSilent({ lastBeatAtMs: 1000, limitMs: 500 }, 0, 1500)).toBe(false);
    expect(isSilent({ lastBeatAtMs: 1000, limitMs: 500 }, 0, 1501)).toBe(true);
  });

  test('without a limit nobody is silent', () => {
    expect(isSilent({ lastBeatAtMs: 0, limitMs: 0 }, 0, 1e9)).toBe(false);
  });

  test('time during which we were suspended is not silence', () => {
    const awakeSince = wakeTime(0, 2000, 3_600_000);
    expect(isSilent({ lastBeatAtMs: 2000, limitMs: 500 }, awakeSince, 3_600_000)).toBe(false);
    expect(isSilent({ lastBeatAtMs: 2000, limitMs: 500 }, awakeSince, 3_600_501)).toBe(true);
  });

  test('checks that come in time do not move the waking', () => {
    expect(wakeTime(5, 2000, 3010)).toBe(5);
  });
});
