import { expect, test } from 'vitest';

import { formatBytes, formatDuration, formatLag, formatShare } from './format-values.js';

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1 KiB'],
  [87_031_808, '83 MiB'],
  [1_610_612_736, '1.5 GiB'],
  [undefined, '-'],
])('%s bytes are %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

test.each([
  [0, '0ms'],
  [999, '999ms'],
  [59_999, '59s'],
  [200_000, '3m 20s'],
  [18_720_000, '5h 12m'],
  [273_600_000, '3d 4h'],
  [undefined, '-'],
])('%s ms are %s', (ms, text) => expect(formatDuration(ms)).toBe(text));

test('shares are whole percents, also of more than one core; lags are fine when small', () => {
  expect([0, 0.424, 1.5, undefined].map(formatShare)).toEqual(['0%', '42%', '150%', '-']);
  expect([0.04, 9.94, 12.4, undefined].map(formatLag)).toEqual(['0.0ms', '9.9ms', '12ms', '-']);
});
