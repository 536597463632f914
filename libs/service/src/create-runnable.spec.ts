import { ServeError } from '@bentots/errors';
import { expect, test } from 'vitest';
import { caught } from '../test/caught.js';
import { createRunnable, disposeRunnable } from './create-runnable.js';
import { method } from './method.js';
import { createRunner } from './runner.js';

class Plain {
  static readonly methods = { file: method() };
  constructor(
    readonly path: string,
    readonly threads = 1,
  ) {
    if (path === '') throw new TypeError('no path');
    if (path === 'locked') throw new ServeError('unavailable', 'the licence server is down');
  }
  file(): string {
    return this.path;
  }
}

test('the constructor gets the arguments that the runner was given', async () => {
  const { definition } = createRunner(Plain, { name: 'plain', args: ['model.onnx', 4] });
  const instance = await createRunnable(definition);
  expect(instance).toBeInstanceOf(Plain);
  expect(instance).toMatchObject({ path: 'model.onnx', threads: 4 });
});

test('each call makes an instance of its own', async () => {
  const { definition } = createRunner(Plain, { name: 'plain', args: ['model.onnx'] });
  expect(await createRunnable(definition)).not.toBe(await createRunnable(definition));
});

test('a constructor that throws is told with its runner; a ServeError stays itself', async () => {
  const broken = createRunner(Plain, { name: 'broken', args: [''] });
  expect(await caught(() => createRunnable(broken.definition))).toMatchObject({
    code: 'worker_not_ready',
    message: "runnable Plain of runner 'broken' did not load: TypeError: no path",
    details: { runner: 'broken' },
    cause: expect.any(TypeError),
  });
  const locked = createRunner(Plain, { name: 'locked', args: ['locked'] });
  expect(await caught(() => createRunnable(locked.definition))).toMatchObject({ code: 'unavailable' });
});

test.each<[unknown, string]>([
  [new (class LicenceError extends Error {})('expired'), 'LicenceError: expired'],
  ['out of memory', 'string: out of memory'],
])('what a model throws is told with its class: %s', async (thrown, words) => {
  class Thrower {
    static readonly methods = { ping: method() };
    init(): Promise<void> {
      return Promise.reject(thrown);
    }
    ping(): boolean {
      return true;
    }
  }
  const { definition } = createRunner(Thrower, { name: 'broken' });
  const { message } = await caught(() => createRunnable(definition));
  expect(message).toBe(`runnable Thrower of runner 'broken' did not load: ${words}`);
});

test('disposing awaits the hook, and is nothing to a runnable without one', async () => {
  const life: string[] = [];
  const dispose = async (): Promise<void> => {
    await Promise.resolve();
    life.push('disposed');
  };
  await disposeRunnable({ dispose });
  await disposeRunnable({});
  expect(life).toEqual(['disposed']);
});
