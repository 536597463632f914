import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { describe, expect, test, vi } from 'vitest';
import { eventually, fixture, isAlive } from '../test/tree.js';
import { runOnce } from './run-once.js';

const entry = fixture('run-once-task.mjs');

describe('runOnce', () => {
  test('returns what the child answers; its task and folder are as asked', async () => {
    const answer = await runOnce(entry, { do: 'answer', list: [1, 'ü'] }, { cwd: tmpdir() });
    expect(answer).toEqual({ do: 'answer', list: [1, 'ü'], cwd: tmpdir() });
  });

  test('null is an answer', async () => {
    expect(await runOnce(entry, { do: 'nothing-wrong' })).toBeNull();
  });

  test('an error that the child answers keeps code, message and details', async () => {
    const failure = runOnce(entry, { do: 'error' });
    await expect(failure).rejects.toMatchObject({
      code: 'service_broken',
      message: 'line 3: no',
      details: { line: 3 },
    });
  });

  test('a child that throws is told by its last words', async () => {
    const failure = runOnce(entry, { do: 'throw' });
    await expect(failure).rejects.toMatchObject({ code: 'worker_not_ready' });
    await expect(failure).rejects.toThrow(/ended with code 1 without an answer.*import went wrong/s);
  });

  test('a child that exits or answers nonsense has not answered; the code is as asked', async () => {
    const options = { failureCode: 'service_broken' } as const;
    await expect(runOnce(entry, { do: 'exit' }, options)).rejects.toMatchObject({ code: 'service_broken' });
    await expect(runOnce(entry, { do: 'garbage' }, options)).rejects.toMatchObject({
      code: 'service_broken',
    });
  });

  test('a file that does not exist is a failure with words', async () => {
    await expect(runOnce('/nowhere/x.mjs', null)).rejects.toThrow(/Cannot find module/);
  });

  test('last words are told without the colours of a terminal', async () => {
    vi.stubEnv('FORCE_COLOR', '1');
    const failure = runOnce('/nowhere/x.mjs', null);
    await expect(failure).rejects.toThrow(/Cannot find module/);
    // eslint-disable-next-line no-control-regex -- the escape character is what must not be there
    await expect(failure).rejects.not.toThrow(/\u001b/);
    vi.unstubAllEnvs();
  });

  test('a child that takes too long is killed', async () => {
    const failure = runOnce(entry, { do: 'hang' }, { timeoutMs: 300 });
    await expect(failure).rejects.toMatchObject({ code: 'deadline_exceeded' });
    await expect(failure).rejects.toThrow('did not answer within 300 ms');
  });

  test('a signal ends it, also one that has been aborted before', async () => {
    const aborted = runOnce(entry, { do: 'answer' }, { signal: AbortSignal.abort() });
    await expect(aborted).rejects.toMatchObject({ code: 'cancelled' });
    const later = runOnce(entry, { do: 'hang' }, { signal: AbortSignal.timeout(200) });
    await expect(later).rejects.toMatchObject({ code: 'cancelled' });
  });

  test('a child that answered and does not end is ended, and what it started with it', async () => {
    const answer = await runOnce(entry, { do: 'linger' });
    const { child } = answer as { child: number };
    await eventually(() => !isAlive(child));
  });

  test('a child that blocks its event loop dies with its parent', async () => {
    const parent = spawn(process.execPath, [fixture('run-once-parent.mjs'), entry], {
      stdio: ['ignore', 2, 'pipe'],
    });
    let words = '';
    parent.stderr?.on('data', (chunk: Buffer) => (words += chunk.toString()));
    await eventually(() => /pid \d+/.test(words));
    const pid = Number(/pid (\d+)/.exec(words)?.[1]);
    expect(isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    await eventually(() => !isAlive(pid));
  });
});
