import { describe, expect, expectTypeOf, test } from 'vitest';
import { caught } from '../test/caught.js';
import { RecordingHandle } from '../test/recording-handle.js';
import { batchable, method, type MethodSpec } from './method.js';
import { createRunner, type RunnerFacts } from './runner.js';
import type { StreamMethod, UnaryMethod } from './runner-method.js';
import { Tensor } from './tensor.js';
import { isRecord, type RunnerValue } from './values.js';

class Classifier {
  static readonly methods = {
    classify: batchable({ maxBatchSize: 64, batchDim: [0, 1], idempotent: true }),
    label: method(),
    words: method(),
  };
  constructor(
    readonly file: string,
    readonly threshold = 0.5,
  ) {}
  async classify(crops: Tensor<'float32'>): Promise<Tensor<'float32'>> {
    return crops;
  }
  label(index: number): string {
    return `${this.file}:${index}`;
  }
  async *words(count: number): AsyncGenerator<string> {
    for (let i = 0; i < count; i += 1) yield `word ${i}`;
  }
  /** Not in `methods`, so not callable from outside. */
  secret(): number {
    return 42;
  }
}

class NoArguments {
  static readonly methods = { ping: method() };
  ping(): boolean {
    return true;
  }
}

/** Calls createRunner as plain JavaScript does: without the compiler. */
const createUnchecked = createRunner as (runnable: unknown, options?: unknown) => { definition: RunnerFacts };

describe('types', () => {
  const classifier = createRunner(Classifier, { name: 'classifier', args: ['model.onnx'] });

  test('a method is called with the arguments and gives the result that the class says', () => {
    expectTypeOf(classifier.classify).toEqualTypeOf<
      UnaryMethod<[crops: Tensor<'float32'>], Tensor<'float32'>>
    >();
    expectTypeOf(classifier.label.run).parameters.toEqualTypeOf<[index: number]>();
    expectTypeOf(classifier.label.run).returns.resolves.toEqualTypeOf<string>();
    expectTypeOf(classifier.label.with({ timeoutMs: 5 }).run).returns.resolves.toEqualTypeOf<string>();
  });

  test('an async generator is streamed', () => {
    expectTypeOf(classifier.words).toEqualTypeOf<StreamMethod<[count: number], string>>();
    expectTypeOf(classifier.words.stream).returns.toEqualTypeOf<AsyncIterable<string>>();
    // @ts-expect-error a stream has no run()
    expect(() => classifier.words.run.name).not.toThrow();
  });

  test('a method that only throws, or whose result is not known, answers once', () => {
    class Odd {
      static readonly methods = { fail: method(), anything: method() };
      fail(): never {
        throw new Error('always');
      }
      anything(): ReturnType<typeof JSON.parse> {
        return 1;
      }
    }
    const odd = createRunner(Odd, { name: 'odd' });
    expectTypeOf(odd.fail.run).returns.resolves.toBeNever();
    expectTypeOf(odd.anything.run).returns.resolves.toBeAny();
  });

  test('named values keep the types that the author gave them, interfaces among them', async () => {
    interface Feeds {
      readonly ids: Tensor<'int64'>;
      readonly mask?: Tensor<'bool'>;
      readonly temperature: number;
    }
    class Generator {
      static readonly methods = { next: batchable(), parts: method() };
      async next(feeds: Feeds): Promise<{ logits: Tensor<'float32'>; state: Feeds }> {
        return { logits: feeds.ids.astype('float32'), state: feeds };
      }
      async *parts(feeds: Feeds): AsyncGenerator<Feeds> {
        yield feeds;
      }
    }
    const generator = createRunner(Generator, { name: 'generator' });
    expectTypeOf(generator.next.run).parameters.toEqualTypeOf<[feeds: Feeds]>();
    expectTypeOf(generator.next.run).returns.resolves.toEqualTypeOf<{
      logits: Tensor<'float32'>;
      state: Feeds;
    }>();
    expectTypeOf(generator.parts).toEqualTypeOf<StreamMethod<[feeds: Feeds], Feeds>>();
    const ids = Tensor.from([1], 'int64');
    const handle = new RecordingHandle();
    generator.definition.bind(handle);
    // @ts-expect-error a tensor of another dtype
    await generator.next.run({ ids: Tensor.from([1], 'float32'), temperature: 1 });
    await generator.next.run({ ids, temperature: 0.7 });
    expect(handle.last).toMatchObject({ args: [{ ids, temperature: 0.7 }] });
  });

  test('a plain object of values is a value, whatever its members are; one of a class is not', () => {
    expectTypeOf<{
      ids: Tensor<'int64'>;
      options: { raw: Uint8Array; k: number }[];
    }>().toExtend<RunnerValue>();
    expectTypeOf<{ mask?: Tensor | undefined }>().toExtend<RunnerValue>();
    expectTypeOf<{ at: Date }>().not.toExtend<RunnerValue>();
    expectTypeOf<Map<string, Tensor>>().not.toExtend<RunnerValue>();
    expect(isRecord({}) && isRecord(Object.create(null))).toBe(true);
    expect([[], null, 1, Tensor.from([1]), new Map(), new Classifier('f')].some(isRecord)).toBe(false);
  });

  test('a wrong use does not compile', () => {
    const wrongUses = (): void => {
      // @ts-expect-error label takes a number
      void classifier.label.run('1');
      // @ts-expect-error a method that `methods` does not name is no property
      void classifier.secret;
      // @ts-expect-error the constructor needs a file name
      createRunner(Classifier, { name: 'a' });
      // @ts-expect-error the file name is a string
      createRunner(Classifier, { name: 'a', args: [1] });
      // @ts-expect-error there is no method of this name to override
      createRunner(Classifier, { name: 'a', args: ['f'], methods: { secret: { maxBatchSize: 1 } } });
      // @ts-expect-error a class without `methods` is no runnable
      createRunner(class {}, { name: 'a' });
      createRunner(NoArguments, { name: 'a' });
    };
    expect(wrongUses).toBeTypeOf('function');
  });

  test('naming a method that the class does not have does not compile, and throws', async () => {
    class Misspelt {
      static readonly methods = { classify: batchable(), clasify: batchable() };
      classify(): number {
        return 1;
      }
    }
    class NotCallable {
      static readonly methods = { size: method() };
      readonly size = 3;
    }
    class Reserved {
      static readonly methods = { init: method() };
      init(): boolean {
        return true;
      }
    }
    // @ts-expect-error 'clasify' is not a method of this class
    expect((await caught(() => createRunner(Misspelt, { name: 'm' }))).message).toBe(
      "runner 'm': method 'clasify' is declared, and class Misspelt has no method of this name",
    );
    // @ts-expect-error 'size' is not a method of this class
    expect((await caught(() => createRunner(NotCallable, { name: 'n' }))).code).toBe('service_invalid');
    // @ts-expect-error 'init' is a reserved name
    expect((await caught(() => createRunner(Reserved, { name: 'r' }))).message).toContain('reserved name');
  });

  test('methods typed too loosely to be checked do not compile', async () => {
    class Loose {
      static readonly methods: Record<string, MethodSpec> = {};
    }
    // @ts-expect-error the names are not known to the compiler
    expect((await caught(() => createRunner(Loose, { name: 'l' }))).message).toContain('declares no methods');
  });

  test('methods of a base class count', () => {
    class Better extends Classifier {}
    const better = createRunner(Better, { name: 'better', args: ['f'] });
    expectTypeOf(better.label.run).returns.resolves.toEqualTypeOf<string>();
    expect([...better.definition.methods.keys()]).toEqual(['classify', 'label', 'words']);
  });
});

describe('facts', () => {
  test('are the options, checked and filled', () => {
    const { definition } = createRunner(Classifier, { name: 'classifier', args: ['f'], timeoutMs: 100 });
    expect(definition).toMatchObject({
      name: 'classifier',
      runnable: Classifier,
      args: ['f'],
      embedded: false,
      workers: 1,
      perWorkerEnv: [],
      timeoutMs: 100,
    });
    expect(definition.methods.get('classify')).toEqual({
      batchable: true,
      inputBatchDim: 0,
      outputBatchDim: 1,
      maxBatchSize: 64,
      maxLatencyMs: 60_000,
      idempotent: true,
      stream: false,
      concurrency: 1,
      blocks: false,
    });
    expect(definition.methods.get('words')).toMatchObject({ batchable: false, stream: true });
  });

  test('a function that computes runs one call at a time, one that waits many, unless it says another number', () => {
    class Kinds {
      static readonly methods = {
        compute: method(),
        wait: method(),
        stream: method(),
        batch: batchable(),
        chosen: method({ concurrency: 3 }),
      };
      compute(): number {
        return 1;
      }
      async wait(): Promise<number> {
        return Promise.resolve(1);
      }
      async *stream(): AsyncGenerator<number> {
        yield await Promise.resolve(1);
      }
      async batch(rows: Tensor<'float32'>): Promise<Tensor<'float32'>> {
        return Promise.resolve(rows);
      }
      chosen(): Promise<number> {
        return Promise.resolve(1);
      }
    }
    const concurrencyOf = (runner: { definition: RunnerFacts }): unknown =>
      Object.fromEntries([...runner.definition.methods].map(([name, spec]) => [name, spec.concurrency]));
    const kinds = createRunner(Kinds, { name: 'kinds', methods: { batch: { concurrency: 2 } } });
    expect(concurrencyOf(kinds)).toEqual({ compute: 1, wait: 1024, stream: 1024, batch: 2, chosen: 3 });
    const blocking = [...kinds.definition.methods].filter(([, { blocks }]) => blocks);
    expect(blocking.map(([name]) => name)).toEqual(['compute']);
    const none = { name: 'kinds', methods: { wait: { concurrency: 0 } } };
    expect(() => createRunner(Kinds, none)).toThrow('concurrency');
  });

  test('overrides count for this runner only', () => {
    const methods = { classify: { maxBatchSize: 8, batchable: false } } as const;
    const small = createRunner(Classifier, { name: 'small', args: ['f'], methods });
    expect(small.definition.methods.get('classify')).toMatchObject({ maxBatchSize: 8, batchable: false });
    expect(Classifier.methods.classify).toMatchObject({ maxBatchSize: 64, batchable: true });
  });

  test('an unbound runner says so when it is called', async () => {
    const { label } = createRunner(Classifier, { name: 'far-away', args: ['f'] });
    expect(await caught(() => label.run(1))).toMatchObject({
      code: 'unavailable',
      message: "runner 'far-away' is not connected in this process",
      details: { runner: 'far-away' },
    });
  });

  test('calls go to the handle that was bound last', async () => {
    const runner = createRunner(Classifier, { name: 'classifier', args: ['f'] });
    runner.definition.bind(new RecordingHandle());
    const handle = new RecordingHandle();
    runner.definition.bind(handle);
    const tensor = Tensor.from([1]);
    expect(await runner.classify.run(tensor)).toBe(tensor);
    expect(handle.last).toMatchObject({ method: 'classify', args: [tensor], options: { idempotent: true } });
    const words: RunnerValue[] = [];
    for await (const word of runner.words.stream(3)) words.push(word);
    expect(words).toEqual([3]);
  });
});

describe('what plain JavaScript may get wrong', () => {
  class Sync {
    static readonly methods = { count: method() };
    *count(): Generator<number> {
      yield 1;
    }
  }
  class BatchedStream {
    static readonly methods = { words: batchable() };
    async *words(): AsyncGenerator<string> {
      yield 'a';
    }
  }
  test.each<[string, unknown, unknown, string]>([
    ['no class', {}, { name: 'a' }, 'expects a runnable class first, got object'],
    ['no options', NoArguments, undefined, "runner name is undefined"],
    ['an invalid name', NoArguments, { name: 'a b' }, "runner name 'a b' is not valid"],
    ['a class without methods', class Bare {}, { name: 'a' }, 'Bare declares no methods'],
    ['options for an unknown method', NoArguments, { name: 'a', methods: { pong: {} } }, "unknown method 'pong'; NoArguments declares ping"],
    ['an unknown method option', NoArguments, { name: 'a', methods: { ping: { batchSize: 1 } } }, "unknown option 'batchSize'"],
    ['turning batching on', NoArguments, { name: 'a', methods: { ping: { batchable: true } } }, 'can only be turned off'],
    ['a batch size of nothing', NoArguments, { name: 'a', methods: { ping: { maxBatchSize: 0 } } }, "runner 'a': method 'ping': maxBatchSize is 0, expected a whole number from 1 up"],
    ['a latency of nothing', NoArguments, { name: 'a', methods: { ping: { maxLatencyMs: 0 } } }, 'maxLatencyMs is 0, expected a number above 0'],
    ['a synchronous generator', Sync, { name: 'a' }, "make it 'async *count'"],
    ['a batched stream', BatchedStream, { name: 'a' }, 'streams, so it cannot be batchable'],
    ['no workers', NoArguments, { name: 'a', workers: 0 }, "runner 'a': workers is 0"],
    ['a negative timeout', NoArguments, { name: 'a', timeoutMs: -1 }, 'timeoutMs is -1'],
  ])('%s is refused', async (_, runnable, options, message) => {
    const error = await caught(() => createUnchecked(runnable, options));
    expect(error.code).toBe('service_invalid');
    expect(error.message).toContain(message);
  }); // prettier-ignore

  test.each([
    [{ maxBatchSize: 1.5 }, 'batchable(): maxBatchSize is 1.5'],
    [{ batchDim: -1 }, 'the input batch dimension is -1'],
    [{ batchDim: [0, -2] as const }, 'the output batch dimension is -2'],
    [{ maxLatencyMs: Number.NaN }, 'maxLatencyMs is NaN'],
  ])('batchable(%j) is refused', async (options, message) => {
    expect((await caught(() => batchable(options))).message).toContain(message);
  });
});
