import { ServeError } from '@bentots/errors';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { exitWithError, runToExit } from './run-to-exit.js';
import { createServerHandle } from './server-handle.js';

type Life = Awaited<ReturnType<typeof createServerHandle>>;

function handleOf(life: Promise<Life>) {
  return createServerHandle(life, new Promise(() => undefined), () => Promise.resolve());
}

const written: string[] = [];

beforeEach(() => {
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
});

afterEach(() => {
  vi.restoreAllMocks();
  written.length = 0;
  process.exitCode = undefined;
});

describe('runToExit', () => {
  test('says nothing about a server that was stopped as asked', async () => {
    await runToExit(handleOf(Promise.resolve({ exitCode: 0, reason: 'asked' })));
    expect(process.exitCode).toBe(0);
    expect(written).toEqual([]);
  });

  test('prints one line for a server that could not start, and exits as the table says', async () => {
    const error = new ServeError('address_in_use', 'address 127.0.0.1:3000 is in use');
    await runToExit(handleOf(Promise.reject(error)));
    expect(process.exitCode).toBe(5);
    expect(written).toEqual(['error: address 127.0.0.1:3000 is in use\n']);
  });

  test('prints why a running server ended by itself', async () => {
    const error = new ServeError('crash_loop', 'worker 1 of http_api crashed 6 times in 60 s');
    await runToExit(handleOf(Promise.resolve({ exitCode: 8, reason: 'crash-loop', error })));
    expect(process.exitCode).toBe(8);
    expect(written.join('')).toBe('error: worker 1 of http_api crashed 6 times in 60 s\n');
  });
});

describe('exitWithError', () => {
  test('adds a hint', () => {
    const error = new ServeError('invalid_option', 'wrong');
    expect(exitWithError(error, { hint: ({ code }) => `see ${code}` })).toBe(2);
    expect(written.join('')).toBe('error: wrong\nsee invalid_option\n');
  });

  test('shows the stack and the causes only when verbose', () => {
    const error = new ServeError('service_broken', 'it throws', { cause: new RangeError('too far') });
    exitWithError(error);
    expect(written.join('')).not.toContain('RangeError');
    exitWithError(error, { verbose: true });
    expect(written.join('')).toMatch(/ServeError: it throws\n +at [^]*RangeError: too far\n +at /);
  });

  test("tells the operator a foreign error's own words", () => {
    expect(exitWithError(new TypeError('x is not a function'))).toBe(1);
    expect(written.join('')).toBe('error: TypeError: x is not a function\n');
  });
});
