import { ERROR_TABLE, type ErrorCode, ServeError } from '@bentots/errors';
import { expect, test } from 'vitest';
import { ERROR_CODE_KEY, ERROR_DETAILS_KEY, statusOfError } from './error-status.js';

test.each(Object.keys(ERROR_TABLE) as ErrorCode[])('%s has the status of the table', (code) => {
  const { code: status, details, metadata } = statusOfError(new ServeError(code, 'what happened'));
  expect([status, details]).toEqual([ERROR_TABLE[code].grpc, 'what happened']);
  expect(metadata.get(ERROR_CODE_KEY)).toEqual([code]);
  expect(metadata.get(ERROR_DETAILS_KEY)).toEqual([]);
});

test('details are JSON in plain ASCII', () => {
  const details = { name: 'größe\n', list: [1, '😀'] };
  const { metadata } = statusOfError(new ServeError('invalid_argument', 'x', { details }));
  const [text] = metadata.get(ERROR_DETAILS_KEY);
  expect(text).toMatch(/^[\x20-\x7e]+$/);
  expect(JSON.parse(String(text))).toEqual(details);
});

test.each([
  ['too long for a header', { text: 'x'.repeat(5000) }],
  ['no JSON', { size: 1n }],
])('details that are %s are left out, the error is said', (_, details) => {
  const { code, metadata } = statusOfError(new ServeError('internal', 'x', { details }));
  expect(code).toBe(13);
  expect(metadata.get(ERROR_DETAILS_KEY)).toEqual([]);
});
