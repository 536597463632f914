import { ServeError } from '@bentots/errors';
import { expect, test } from 'vitest';

import { Deferred } from './deferred.js';
import { DevReload, type DevReloadHost } from './dev-reload.js';

/** A tree whose replacing lasts until the test says how it ends. */
class FakeHost implements DevReloadHost {
  readonly dir = '/home/ada/hello';
  readonly lines: string[] = [];
  readonly asked: string[] = [];
  isOld = false;
  /** What is being done now. */
  #now = new Deferred<boolean>();
  #began = new Deferred<void>();
  #told = new Deferred<void>();

  readonly log = {
    debug: () => undefined,
    info: (line: string) => this.#tell(`info ${line}`),
    warn: (line: string) => this.#tell(`warn ${line}`),
    error: (line: string) => this.#tell(`error ${line}`),
    child: () => this.log,
  };
  isPlanOld = (): boolean => this.isOld;
  replaceWorkers = async (): Promise<void> => void (await this.#do('replace'));
  replan = (): Promise<boolean> => this.#do('replan');

  /** Resolves when something is being done. */
  async begun(): Promise<void> {
    await this.#began.promise;
    this.#began = new Deferred();
  }

  async told(): Promise<string> {
    await this.#told.promise;
    this.#told = new Deferred();
    return (this.lines.at(-1) ?? '').replace(/in \d+ ms/, 'in N ms');
  }

  succeed(isOther = true): void {
    this.#now.resolve(isOther);
  }

  fail(error: Error): void {
    this.#now.reject(error);
  }

  async #do(what: string): Promise<boolean> {
    this.asked.push(what);
    this.#now = new Deferred();
    this.#began.resolve();
    return this.#now.promise;
  }

  #tell(line: string): void {
    this.lines.push(line);
    this.#told.resolve();
  }
}

const change = (...names: string[]) => ({
  paths: names.map((name) => `/home/ada/hello/${name}`),
  noticedAt: performance.now(),
});

function start() {
  const host = new FakeHost();
  return { host, reload: new DevReload(host) };
}

test('changed code replaces the workers, without a new plan; the line names the file', async () => {
  const { host, reload } = start();
  reload.onChange(change('lib/greet.ts'));
  await host.begun();
  host.succeed();
  expect(await host.told()).toBe('info changed: lib/greet.ts → workers replaced in N ms');
  expect(host.asked).toEqual(['replace']);
});

test('what changes while workers are replaced is one more round, for all of it', async () => {
  const { host, reload } = start();
  reload.onChange(change('a.ts'));
  await host.begun();
  reload.onChange(change('b.ts'));
  reload.onChange(change('c.ts', 'b.ts'));
  host.succeed();
  await host.told();
  await host.begun();
  host.succeed();
  expect(await host.told()).toBe('info changed: b.ts and 1 more → workers replaced in N ms');
  expect(host.asked).toEqual(['replace', 'replace']);
});

test('code that does not load is told, and the next change is answered', async () => {
  const { host, reload } = start();
  reload.onChange(change('a.ts'));
  await host.begun();
  host.fail(new ServeError('service_broken', 'cannot load a.ts at a.ts:1:9'));
  expect(await host.told()).toBe(
    'error changed: a.ts → the last good version keeps serving: cannot load a.ts at a.ts:1:9',
  );
  reload.onChange(change('a.ts'));
  await host.begun();
  host.succeed();
  expect(await host.told()).toMatch(/^info/);
});

test('a service that says something else of itself has its plan made anew, after the workers were replaced', async () => {
  const { host, reload } = start();
  host.isOld = true;
  reload.onChange(change('a.ts'));
  await host.begun();
  host.succeed();
  await host.told();
  await host.begun();
  host.fail(new ServeError('not_supported', 'restart the server to add or remove runners'));
  expect(await host.told()).toBe('warn changed: a.ts → restart the server to add or remove runners');
  expect(host.asked).toEqual(['replace', 'replan']);
});

test('workers that lack a runner of the old plan get a new plan, or its reason why not', async () => {
  const { host, reload } = start();
  reload.onChange(change('a.ts'));
  await host.begun();
  host.fail(new ServeError('runner_map_invalid', "the runner map lacks 'b'"));
  await host.begun();
  host.fail(new ServeError('not_supported', "'b' is new; restart the server"));
  expect(await host.told()).toContain("the last good version keeps serving: 'b' is new; restart the server");
});

test.each([
  [true, ['replan']],
  [false, ['replan', 'replace']],
])('a changed bentofile has the plan made first; another one: %s', async (isOther, asked) => {
  const { host, reload } = start();
  reload.onChange(change('bentofile.yaml'));
  await host.begun();
  host.succeed(isOther);
  if (!isOther) {
    await host.begun();
    host.succeed();
  }
  expect(await host.told()).toMatch(/^info changed: bentofile.yaml/);
  expect(host.asked).toEqual(asked);
});

test('after the end nothing is replaced, and no failure is told', async () => {
  const { host, reload } = start();
  reload.onChange(change('a.ts'));
  await host.begun();
  reload.onChange(change('b.ts'));
  reload.close();
  host.fail(new ServeError('cancelled', 'the server was stopped'));
  await new Promise((resolve) => setImmediate(resolve));
  expect(host.asked).toEqual(['replace']);
  expect(host.lines).toEqual([]);
});
