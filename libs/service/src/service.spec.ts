import { describe, expect, expectTypeOf, test } from 'vitest';
import { caught } from '../test/caught.js';
import type { ApiContext } from './api.js';
import { describeService } from './describe.js';
import { file } from './io/file.js';
import { image } from './io/image.js';
import { json } from './io/json.js';
import { tensor } from './io/tensor.js';
import { text } from './io/text.js';
import { batchable, method } from './method.js';
import { createRunner } from './runner.js';
import { isService, Service } from './service.js';
import type { Tensor } from './tensor.js';
import type { JsonValue } from './values.js';

class Scale {
  static readonly methods = { scale: batchable({ maxBatchSize: 8 }), words: method() };
  async scale(rows: Tensor<'float32'>): Promise<Tensor<'float32'>> {
    return rows;
  }
  async *words(): AsyncGenerator<string> {
    yield 'a';
  }
}

const io = { input: text(), output: text() };
const same = (value: string): string => value;
const build = (change: (service: Service) => unknown) => (): unknown => change(new Service('demo'));

/** Calls `api` as plain JavaScript does: without the compiler. */
const apiUnchecked = (service: Service, ...args: unknown[]): unknown =>
  Reflect.apply(service.api, service, args);

describe('types', () => {
  test('the descriptors say what the function gets and gives', () => {
    new Service('typed')
      .api('predict', { input: tensor(), output: json<{ labels: number[] }>() }, (rows, context) => {
        expectTypeOf(rows).toEqualTypeOf<Tensor<'float32'>>();
        expectTypeOf(context).toEqualTypeOf<ApiContext>();
        return { labels: [rows.size] };
      })
      .api('ids', { input: json<{ id: string }>(), output: tensor({ dtype: 'int64' }) }, async ({ id }) => {
        expectTypeOf(id).toEqualTypeOf<string>();
        return (await import('./tensor.js')).Tensor.from([BigInt(id)], 'int64');
      })
      .api('any', { input: json(), output: json() }, (value) => {
        expectTypeOf(value).toEqualTypeOf<JsonValue>();
        return { list: [value] };
      })
      .api('picture', { input: image(), output: file() }, async (picture) => {
        expectTypeOf(picture.pixels('gray')).resolves.toEqualTypeOf<Tensor<'uint8'>>();
        return new (await import('./values.js')).FileValue(picture.bytes);
      });
  });

  test('a wrong use does not compile', () => {
    const wrongUses = (service: Service): void => {
      // @ts-expect-error the output is text
      service.api('a', { input: text(), output: text() }, () => 1);
      // @ts-expect-error the output is text, asynchronous ones too
      service.api('b', { input: text(), output: text() }, async () => 1);
      // @ts-expect-error the input is text
      service.api('c', { input: text(), output: text() }, (value: number) => String(value));
      // @ts-expect-error an int64 tensor is no float32 tensor
      service.api('d', { input: tensor({ dtype: 'int64' }), output: tensor() }, (value) => value);
      // @ts-expect-error a Date is no JSON value
      service.api('e', { input: json(), output: json() }, () => ({ at: new Date() }));
      // @ts-expect-error an API needs both descriptors
      service.api('f', { input: text() }, same);
      // @ts-expect-error there is no such dtype
      tensor({ dtype: 'float16' });
    };
    expect(wrongUses).toBeTypeOf('function');
  });
});

describe('a service', () => {
  test('keeps its APIs in order, with their routes', () => {
    const service = new Service('demo')
      .api('first', io, same)
      .api('second', { ...io, route: 'v1/second', timeoutMs: 10, description: 'again' }, same);
    expect([...service.apis.values()]).toMatchObject([
      { name: 'first', route: '/first', timeoutMs: undefined },
      { name: 'second', route: '/v1/second', timeoutMs: 10, description: 'again' },
    ]);
  });

  test('knows which runners an API needs: those it names, else all', () => {
    const [a, b] = ['a', 'b'].map((name) => createRunner(Scale, { name }));
    if (a === undefined || b === undefined) throw new Error('no runners');
    const service = new Service('demo', { runners: [a, b] })
      .api('all', io, same)
      .api('one', { ...io, runners: [b] }, same)
      .api('none', { ...io, runners: [] }, same);
    expect([...service.apis.values()].map(({ runners }) => runners)).toEqual([['a', 'b'], ['b'], []]);
    const other = createRunner(Scale, { name: 'a' });
    expect(() => service.api('foreign', { ...io, runners: [other] }, same)).toThrow(
      "API 'foreign': runner 'a' is not among the runners of its service: a, b",
    );
    expect(() => apiUnchecked(service, 'odd', { ...io, runners: ['a'] }, same)).toThrow(
      "API 'odd': runners[0] is no runner",
    );
  });

  test('gives each API the priority of its runner calls, and refuses one that is none', () => {
    const service = new Service('demo')
      .api('first', { ...io, priority: 'high' }, same)
      .api('usual', io, same)
      .api('last', { ...io, priority: 'low' }, same);
    expect([...service.apis.values()].map(({ priority }) => priority)).toEqual(['high', 'normal', 'low']);
    for (const [given, got] of [
      ['urgent', "'urgent'"],
      [1, '1'],
      [null, 'null'],
    ]) {
      expect(() => apiUnchecked(service, 'odd', { ...io, priority: given }, same)).toThrow(
        `API 'odd': priority is ${got}; expected 'high', 'normal' or 'low'`,
      );
    }
  });

  test('keeps its hooks in order, each kind apart', () => {
    const hooks = [(): void => undefined, (): void => undefined, (): void => undefined] as const;
    const service = new Service('demo').onStartup(hooks[0]).onStartup(hooks[1]).onShutdown(hooks[2]);
    expect(service.hooks).toEqual({ deployment: [], startup: [hooks[0], hooks[1]], shutdown: [hooks[2]] });
  });

  test('is known by its brand, from any copy of the library', () => {
    expect(isService(new Service('demo'))).toBe(true);
    expect(isService({ [Symbol.for('bentots.Service')]: true })).toBe(true);
    for (const other of [null, undefined, 'demo', {}, Service]) expect(isService(other)).toBe(false);
  });

  test('describes itself in plain JSON', () => {
    const one = createRunner(Scale, { name: 'one', workers: 2, timeoutMs: 50 });
    const two = createRunner(Scale, { name: 'two', embedded: true, perWorkerEnv: [{ A: '1' }] });
    const service = new Service('demo', { version: '1.0', runners: [one, two] })
      .api('up', { input: json(), output: tensor() }, () => one.scale.run({} as Tensor<'float32'>))
      .onDeployment(() => undefined);
    const plain = { inputBatchDim: 0, outputBatchDim: 0, maxLatencyMs: 60_000, idempotent: false };
    const methods = [
      {
        name: 'scale',
        ...plain,
        batchable: true,
        maxBatchSize: 8,
        stream: false,
        concurrency: 1,
        blocks: false,
      },
      {
        name: 'words',
        ...plain,
        batchable: false,
        maxBatchSize: 100,
        stream: true,
        concurrency: 1024,
        blocks: false,
      },
    ];
    const description = describeService(service);
    expect(description).toEqual({
      name: 'demo',
      version: '1.0',
      description: null,
      runners: [
        { name: 'one', runnable: 'Scale', embedded: false, workers: 2, perWorkerEnv: [], timeoutMs: 50, methods },
        { name: 'two', runnable: 'Scale', embedded: true, workers: 1, perWorkerEnv: [{ A: '1' }], timeoutMs: null, methods },
      ],
      apis: [{ name: 'up', route: '/up', input: 'bentoml.io.JSON', output: 'bentoml.io.NumpyNdarray' }],
      hasDeploymentHook: true,
    }); // prettier-ignore
    expect(JSON.parse(JSON.stringify(description))).toEqual(description);
  });
});

describe('rules', () => {
  const runner = createRunner(Scale, { name: 'scale' });
  test.each<[string, () => unknown, string]>([
    ['an invalid service name', () => new Service('my service'), "service name 'my service' is not valid"],
    ['an invalid version', () => new Service('demo', { version: 'v 1' }), "service version 'v 1' is not valid"],
    ['two runners of one name', () => new Service('demo', { runners: [runner, createRunner(Scale, { name: 'scale' })] }), "service 'demo': found duplicate name 'scale' among its runners"],
    ['a runner that is none', () => Reflect.construct(Service, ['demo', { runners: [Scale] }]), "runners[0] is no runner; make it with createRunner()"],
    ['two APIs of one name', build((s) => s.api('a', io, same).api('a', { ...io, route: 'b' }, same)), "found duplicate API name 'a'"],
    ['two APIs of one route', build((s) => s.api('a', io, same).api('b', { ...io, route: '/a' }, same)), "APIs 'a' and 'b' have the same route '/a'"],
    ['no function', build((s) => apiUnchecked(s, 'a', io)), "API 'a': its function is undefined"],
    ['no input', build((s) => apiUnchecked(s, 'a', { output: text() }, same)), "API 'a': input is no IO descriptor; use json(), text()"],
    ['a descriptor not called', build((s) => apiUnchecked(s, 'a', { input: text(), output: json }, same)), "API 'a': output is no IO descriptor"],
    ['a timeout of nothing', build((s) => s.api('a', { ...io, timeoutMs: 0 }, same)), "API 'a': timeoutMs is 0"],
    ['a hook that is no function', build((s) => Reflect.apply(s.onStartup, s, [null])), 'onStartup expects a function, got null'],
    ['a dtype that is none', () => Reflect.apply(tensor, undefined, [{ dtype: 'float16' }]), "dtype 'float16' is unknown; use one of float32, float64"],
    ['a shape that is none', () => tensor({ shape: [-2] }), 'shape has -2'],
    ['pictures of a type that cannot be written', () => image({ mimeType: 'image/bmp' }), "mimeType 'image/bmp' cannot be written; use one of image/png"],
  ])('%s is refused', async (_, fn, message) => {
    const error = await caught(fn);
    expect(error.code).toBe('service_invalid');
    expect(error.message).toContain(message);
  }); // prettier-ignore

  test.each(['', '1st', 'a-b', 'a b', 'ä', 'a.b', 'a/b', ' a'])(
    'API name %j is no identifier',
    async (name) => {
      const error = await caught(build((s) => s.api(name, io, same)));
      expect(error.message).toBe(`API name '${name}' is no identifier: use letters, digits and '_'`);
    },
  );

  test.each(['index', 'swagger', 'docs', 'metrics', 'healthz', 'livez', 'readyz'])(
    'API name %s is reserved, also with a route of its own',
    async (name) => {
      const error = await caught(build((s) => s.api(name, { ...io, route: 'mine' }, same)));
      expect(error.message).toContain(`API name '${name}' is reserved`);
    },
  );

  test.each(['/', '', '/docs', '/docs.json', 'metrics', '/livez', 'healthz', '/readyz'])(
    'route %j is reserved',
    async (route) => {
      const error = await caught(build((s) => s.api('a', { ...io, route }, same)));
      expect(error.message).toContain('is reserved, as are / /docs');
    },
  );

  test.each([
    ['/a?b', 'contains "?"'],
    ['/a#b', 'contains "#"'],
    ['/:id', 'contains ":"'],
    ['/a*', 'contains "*"'],
    ['/a b', 'contains " "'],
    ['/ä', 'contains "ä"'],
    ['//a', "starts with '//'"],
  ])('route %s is refused: it %s', async (route, message) => {
    const error = await caught(build((s) => s.api('a', { ...io, route }, same)));
    expect(error.code).toBe('service_invalid');
    expect(error.message).toContain(message);
  });

  test.each(['_private', 'camelCase', 'v2', 'x'])('API name %s is fine', (name) => {
    expect(new Service('demo').api(name, io, same).apis.get(name)?.route).toBe(`/${name}`);
  });
});
