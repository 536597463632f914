import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { fixtures } from '../test/load-in-child.js';
import type { DescribeAnswer, DescribeTask } from './describe-task.js';

const entry = join(import.meta.dirname, '../dist/describe-main.js');

interface Ended {
  readonly exitCode: unknown;
  readonly answer: DescribeAnswer;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the built child as a parent does. */
async function describeInChild(identifier: string, extra: Partial<DescribeTask> = {}): Promise<Ended> {
  return run(JSON.stringify({ identifier, workingDir: fixtures, ...extra }));
}

async function run(...args: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, [entry, ...args], { stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
  const [stdout, stderr, line, [exitCode]] = await Promise.all([
    textOf(child, 1),
    textOf(child, 2),
    textOf(child, 3),
    once(child, 'exit'),
  ]);
  expect(line).toMatch(/^.+\n$/);
  return { exitCode, answer: JSON.parse(line), stdout, stderr };
}

function textOf(child: ChildProcess, fd: 1 | 2 | 3): Promise<string> {
  const stream = child.stdio[fd];
  return stream instanceof Readable ? text(stream) : Promise.resolve('');
}

test('the description comes with what loads the same service again', async () => {
  const { exitCode, answer, stderr } = await describeInChild('esm/service.ts:svc');
  expect(answer).toEqual({
    ok: {
      name: 'esm-ts',
      version: null,
      description: null,
      runners: [],
      apis: [{ name: 'greet', route: '/greet', input: 'bentoml.io.Text', output: 'bentoml.io.Text' }],
      hasDeploymentHook: false,
      identifier: 'esm/service.ts:svc',
      file: join(fixtures, 'esm/service.ts'),
      workingDir: fixtures,
    },
  });
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
});

test('timers do not keep it, and prints of the module stay on stdout', async () => {
  const { exitCode, answer, stdout } = await describeInChild('esm/busy.js');
  expect(answer).toMatchObject({ ok: { name: 'busy' } });
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: 'printed by the module\n' });
});

test('deployment hooks run in order, and only when asked for', async () => {
  expect(await describeInChild('hooks')).toMatchObject({
    stdout: '',
    answer: { ok: { hasDeploymentHook: true } },
  });
  expect(await describeInChild('hooks', { runDeploymentHook: true })).toMatchObject({
    stdout: 'deployed first\ndeployed second\n',
    answer: { ok: { name: 'hooks' } },
  });
});

test('a deployment hook that throws is an error with its words', async () => {
  const { exitCode, answer } = await describeInChild('hooks/broken.js', { runDeploymentHook: true });
  expect(answer).toEqual({
    error: {
      code: 'service_broken',
      message: "a deployment hook of service 'hooks' throws TypeError: no bucket",
    },
  });
  expect(exitCode).toBe(0);
});

test('an error of loading is the answer, not a stack on stderr', async () => {
  const { exitCode, answer, stderr } = await describeInChild('esm/throws.ts');
  expect(answer).toMatchObject({ error: { code: 'service_broken', details: { line: 6 } } });
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
});

test('a module that ends the process is told on', async () => {
  const { answer } = await describeInChild('esm/exits.js');
  expect(answer).toMatchObject({
    error: { code: 'service_broken', message: expect.stringContaining('ended the process (exit code 3)') },
  });
});

test.each([[[]], [['{}']], [['[1']]])('without a task it says what it expects: %j', async (args) => {
  const { answer } = await run(...args);
  expect(answer).toMatchObject({ error: { message: expect.stringMatching(/expected one argument|JSON/) } });
});
