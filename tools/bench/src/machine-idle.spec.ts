import { expect, test } from 'vitest';
import { idleShare } from './machine-idle.js';

test('a machine is idle by the share of all processors that had nothing to do', () => {
  expect(idleShare({ idle: 100, all: 400 }, { idle: 190, all: 500 })).toBe(0.9);
  expect(idleShare({ idle: 100, all: 400 }, { idle: 100, all: 500 })).toBe(0);
});
