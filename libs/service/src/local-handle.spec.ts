import { ServeError } from '@bentots/errors';
import { describe, expect, test } from 'vitest';
import { caught } from '../test/caught.js';
import { createLocalHandle } from './local-handle.js';
import { method } from './method.js';
import { createRunner } from './runner.js';
import { Tensor } from './tensor.js';
import type { RunnerValue } from './values.js';

class Gate {
  readonly opened: Promise<void>;
  open: () => void = () => undefined;
  constructor() {
    this.opened = new Promise((resolve) => (this.open = resolve));
  }
}

/** A model whose life the tests can watch. */
class Model {
  static readonly methods = {
    double: method(),
    wait: method(),
    fail: method(),
    refuse: method(),
    count: method(),
  };
  readonly life: string[] = ['constructed'];
  readonly gate = new Gate();
  constructor(
    readonly factor: number,
    watch?: (model: Model) => void,
  ) {
    watch?.(this);
  }
  async init(): Promise<void> {
    await Promise.resolve();
    this.life.push('initialised');
  }
  dispose(): void {
    this.life.push('disposed');
  }
  double(tensor: Tensor<'float32'>): Tensor {
    return new Tensor(
      'float32',
      tensor.data.map((value) => value * this.factor),
      tensor.shape,
    );
  }
  async wait(): Promise<string> {
    await this.gate.opened;
    return 'at last';
  }
  fail(): never {
    throw new RangeError('weights exploded');
  }
  refuse(): never {
    throw new ServeError('unprocessable', 'no digits');
  }
  async *count(to: number): AsyncGenerator<number> {
    try {
      for (let i = 0; i < to; i += 1) {
        if (i === 3) throw new Error('cannot count further');
        yield i;
      }
    } finally {
      this.life.push('counted');
    }
  }
}

async function connect() {
  const models: Model[] = [];
  const runner = createRunner(Model, { name: 'model', args: [2, (model) => models.push(model)] });
  const handle = await createLocalHandle(runner.definition);
  runner.definition.bind(handle);
  const [model] = models;
  if (model === undefined) throw new Error('the model was not constructed');
  return { runner, handle, model };
}

describe('a runnable in this process', () => {
  test('is constructed and initialised before its handle is there, and disposed once', async () => {
    const { handle, model } = await connect();
    expect(model.life).toEqual(['constructed', 'initialised']);
    expect(await handle.isReady(AbortSignal.timeout(1000))).toBe(true);
    await Promise.all([handle.close(), handle.close()]);
    expect(model.life).toEqual(['constructed', 'initialised', 'disposed']);
    expect(await handle.isReady(AbortSignal.timeout(1000))).toBe(false);
  });

  test('answers through its typed methods, synchronous ones too', async () => {
    const { runner } = await connect();
    expect((await runner.double.run(Tensor.from([1, 2]))).toNested()).toEqual([2, 4]);
  });

  test('fails as runner_failed with its class and words; a ServeError stays itself', async () => {
    const { runner } = await connect();
    const error = await caught(() => runner.fail.run());
    expect(error).toMatchObject({
      code: 'runner_failed',
      message: "runner 'model' method 'fail' failed: RangeError: weights exploded",
      details: { runner: 'model', method: 'fail', class: 'RangeError', message: 'weights exploded' },
    });
    expect(error.cause).toBeInstanceOf(RangeError);
    expect(await caught(() => runner.refuse.run())).toMatchObject({
      code: 'unprocessable',
      message: 'no digits',
    });
  });

  test('is unavailable once closed', async () => {
    const { runner, handle } = await connect();
    await handle.close();
    expect(await caught(() => runner.wait.run())).toMatchObject({ code: 'unavailable' });
  });
});

describe('a caller whose time is over stops waiting', () => {
  test('at its deadline', async () => {
    const { runner, model } = await connect();
    const error = await caught(() => runner.wait.with({ timeoutMs: 20 }).run());
    expect(error.code).toBe('deadline_exceeded');
    model.gate.open();
  });

  test('when its signal is aborted, before the call or during it', async () => {
    const { runner, model } = await connect();
    const abort = new AbortController();
    const { run } = { run: () => runner.wait.with({ signal: abort.signal }).run() };
    const waiting = caught(run);
    abort.abort();
    expect((await waiting).code).toBe('cancelled');
    expect((await caught(run)).code).toBe('cancelled');
    model.gate.open();
  });

  test('with the error that the abort was given, or deadline_exceeded for a timeout', async () => {
    const { runner, model } = await connect();
    const stopped = AbortSignal.abort(new ServeError('unavailable', 'stopping'));
    expect((await caught(() => runner.wait.with({ signal: stopped }).run())).message).toBe('stopping');
    const timeout = AbortSignal.timeout(5);
    expect((await caught(() => runner.wait.with({ signal: timeout }).run())).code).toBe('deadline_exceeded');
    model.gate.open();
  });

  test('and a result in time is not disturbed by a deadline or a signal', async () => {
    const { runner, model } = await connect();
    const { signal } = new AbortController();
    model.gate.open();
    expect(await runner.wait.with({ timeoutMs: 10_000, signal }).run()).toBe('at last');
  });
});

describe('a stream', () => {
  test('gives its values one by one, and its error in their place', async () => {
    const { runner, model } = await connect();
    const seen: RunnerValue[] = [];
    const error = await caught(async () => {
      for await (const value of runner.count.stream(9)) seen.push(value);
    });
    expect(seen).toEqual([0, 1, 2]);
    expect(error).toMatchObject({ code: 'runner_failed', details: { class: 'Error' } });
    expect(model.life).toContain('counted');
  });

  test('that is left early runs its finally', async () => {
    const { runner, model } = await connect();
    for await (const value of runner.count.stream(2)) if (value === 0) break;
    await Promise.resolve();
    expect(model.life).toContain('counted');
  });

  test('ends when its signal is aborted', async () => {
    const { runner } = await connect();
    const abort = new AbortController();
    const error = await caught(async () => {
      for await (const value of runner.count.with({ signal: abort.signal }).stream(3)) {
        if (value === 1) abort.abort();
      }
    });
    expect(error.code).toBe('cancelled');
  });
});

test('a method is called the way it answers', async () => {
  const { handle } = await connect();
  expect((await caught(() => handle.run('count', [1], {}))).message).toContain(
    'streams: call it with stream()',
  );
  const stream = handle.stream('double', [], {})[Symbol.asyncIterator]();
  expect((await caught(() => stream.next())).message).toContain('answers once: call it with run()');
  expect(await caught(() => handle.run('triple', [], {}))).toMatchObject({
    code: 'not_found',
    message: "runner 'model' has no method 'triple'; it has double, wait, fail, refuse, count",
  });
});

test('a model that does not load says why', async () => {
  class Broken {
    static readonly methods = { ping: method() };
    init(): Promise<void> {
      return Promise.reject(new Error('no such file: model.onnx'));
    }
    ping(): boolean {
      return true;
    }
  }
  const { definition } = createRunner(Broken, { name: 'broken' });
  expect(await caught(() => createLocalHandle(definition))).toMatchObject({
    code: 'worker_not_ready',
    message: "runnable Broken of runner 'broken' did not load: Error: no such file: model.onnx",
  });
});
