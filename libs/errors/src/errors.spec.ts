import { readFileSync } from 'node:fs';

import { describe, expect, test } from 'vitest';

import { ERROR_TABLE, EXIT, exitCodeOf, grpcStatusOf, httpStatusOf, isErrorCode } from './error-table.js';
import type * as ServeErrorModule from './serve-error.js';
import { INTERNAL_MESSAGE, ServeError } from './serve-error.js';

const doc = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8');

/** Rows `| code | http | grpc | exit | when |` of the documentation. */
const documented = Object.fromEntries(
  doc
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .filter((cells) => /^`[a-z_]+`$/.test(cells[1] ?? ''))
    .map(([, code = '', http, grpc, exit, when]) => [
      code.replaceAll('`', ''),
      { http: Number(http), grpc: Number.parseInt(grpc ?? ''), exit: Number(exit), when },
    ]),
);

describe('the table', () => {
  test('is the one that docs/errors.md shows, row by row', () => {
    expect(documented).toEqual(ERROR_TABLE);
    expect(Object.keys(documented)).toEqual(Object.keys(ERROR_TABLE));
  });

  test.each(Object.entries(ERROR_TABLE))('%s has statuses that exist', (code, row) => {
    expect(isErrorCode(code)).toBe(true);
    expect(row.http).toBeGreaterThanOrEqual(400);
    expect(row.http).toBeLessThan(600);
    expect(row.grpc).toBeGreaterThanOrEqual(1);
    expect(row.grpc).toBeLessThanOrEqual(16);
    expect(row.exit).toBeGreaterThanOrEqual(1);
    expect(row.exit).toBeLessThan(126);
  });

  test('exit codes of errors are not those of a stop that was asked for', () => {
    const exits = Object.values(ERROR_TABLE).map((row) => row.exit);
    expect(exits).not.toContain(EXIT.ok);
    expect(exits).not.toContain(EXIT.forced);
  });

  test('the mappings read it', () => {
    expect(httpStatusOf('not_found')).toBe(404);
    expect(grpcStatusOf('deadline_exceeded')).toBe(4);
    expect(exitCodeOf('address_in_use')).toBe(5);
  });

  test.each(['toString', '', 'NOT_FOUND', 404, null, undefined])('%j is no code', (value) => {
    expect(isErrorCode(value)).toBe(false);
  });
});

describe('ServeError', () => {
  const error = new ServeError('runner_failed', 'it threw', { details: { runner: 'a' }, cause: 'secret' });

  test('is an Error with code, details and cause', () => {
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: 'ServeError', code: 'runner_failed', message: 'it threw' });
    expect(error.details).toEqual({ runner: 'a' });
    expect(error.cause).toBe('secret');
  });

  test('crosses process borders without its cause', () => {
    const back = ServeError.fromJSON(JSON.parse(JSON.stringify(error)));
    expect(back).toMatchObject({ code: 'runner_failed', message: 'it threw', details: { runner: 'a' } });
    expect(back.cause).toBeUndefined();
    expect(JSON.stringify(error)).not.toContain('secret');
  });

  test('with a code that nobody knows becomes internal and keeps its message', () => {
    const back = ServeError.fromJSON({ code: 'from_the_future', message: 'hm', details: [1] });
    expect(back).toMatchObject({ code: 'internal', message: 'hm', details: undefined });
  });

  test('of another copy of the module is still one', async () => {
    const copy: typeof ServeErrorModule = await import('./serve-error.js?copy' as './serve-error.js');
    expect(copy.ServeError).not.toBe(ServeError);
    const foreign = new copy.ServeError('overloaded', 'full');
    expect(foreign).toBeInstanceOf(ServeError);
    expect(ServeError.from(foreign)).toBe(foreign);
  });

  test.each([{}, null, undefined, 'text', new Error('plain')])('%o is none', (value) => {
    expect(value instanceof ServeError).toBe(false);
  });
});

describe('ServeError.from', () => {
  test('hides the words of foreign errors and keeps them as the cause', () => {
    const foreign = new TypeError('password is hunter2');
    const error = ServeError.from(foreign);
    expect(error).toMatchObject({ code: 'internal', message: INTERNAL_MESSAGE, cause: foreign });
  });

  test('takes what is thrown without being an error', () => {
    expect(ServeError.from('boom')).toMatchObject({ code: 'internal', cause: 'boom' });
  });

  test('knows the two ways in which a signal aborts', async () => {
    const timedOut = await Promise.reject(AbortSignal.timeout(0)).catch(
      (signal: AbortSignal) =>
        new Promise<unknown>((resolve) => signal.addEventListener('abort', () => resolve(signal.reason))),
    );
    expect(ServeError.from(timedOut).code).toBe('deadline_exceeded');
    expect(ServeError.from(AbortSignal.abort().reason).code).toBe('cancelled');
  });
});
