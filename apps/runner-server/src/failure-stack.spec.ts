import { ServeError } from '@bentots/errors';
import { expect, test } from 'vitest';
import { withoutStack, withStack } from './failure-stack.js';

test('the stack of what a model threw reaches the log of the dispatcher, and no caller', () => {
  const thrown = new RangeError('no such row');
  const failure = new ServeError('runner_failed', 'it failed', { details: { runner: 'm' }, cause: thrown });
  const sent = ServeError.fromJSON(JSON.parse(JSON.stringify(withStack(failure))));
  expect(sent.details).toEqual({ runner: 'm', stack: thrown.stack });
  const received = withoutStack(sent);
  expect(received.details).toEqual({ runner: 'm' });
  expect(received.cause).toMatchObject({ stack: thrown.stack });
  expect(received).toMatchObject({ code: 'runner_failed', message: 'it failed' });
});

test('a stack without end is cut', () => {
  const thrown = new Error('deep');
  thrown.stack = 'x'.repeat(100_000);
  const { details } = withStack(new ServeError('runner_failed', 'it failed', { cause: thrown }));
  expect(String(details?.['stack'])).toHaveLength(8192);
});

test('an error that no model threw passes as it is', () => {
  const refusal = new ServeError('overloaded', 'full', { details: { retryAfterMs: 5 } });
  expect(withStack(refusal)).toBe(refusal);
  expect(withoutStack(refusal)).toBe(refusal);
});
