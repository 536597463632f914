import { batchable, createRunner, method, type Tensor } from '@bentots/service';
import { createRunnerMetrics, MetricsRegistry } from '@bentots/telemetry';
import { afterEach, describe, expect, test } from 'vitest';
import { connectWorkers, type LocalModel, serveModel } from '../test/local-workers.js';
import { RunnerMethods } from './runner-methods.js';

/** What a test holds back, by name. */
const gates = new Map<string, () => void>();

class Model {
  static readonly methods = { echo: batchable({ maxBatchSize: 4 }), wait: method(), compute: method() };

  echo(rows: Tensor): Tensor {
    return rows;
  }

  async wait(name: string): Promise<string> {
    await new Promise<void>((resolve) => gates.set(name, resolve));
    return name;
  }

  compute(): number {
    return 1;
  }
}

const opened: { close(): void }[] = [];
afterEach(() => {
  for (const each of opened.splice(0)) each.close();
  gates.clear();
});

const WAITING = { concurrency: 9, blocks: false };
const facts = createRunner(Model, { name: 'model' }).definition;

async function serve(path?: string): Promise<LocalModel> {
  const model = await serveModel(facts, path);
  opened.push(model);
  return model;
}

describe('the workers of a runner', () => {
  test('those that are ready are connected, and no more of them', async () => {
    const { path } = await serve();
    const workers = connectWorkers('model', path, () => undefined);
    opened.push(workers);
    await workers.connected;
    workers.want(2);
    // The second connection reaches the same process: it is given up again, and tried later.
    await expect.poll(() => workers.size).toBe(1);
    const pool = workers.poolOf('echo', { concurrency: 1, blocks: true });
    expect([pool.size, pool.free]).toEqual([1, 1]);
  });

  test('a worker takes as many calls of a method as fit, and calls of other methods beside them', async () => {
    const { path } = await serve();
    const workers = connectWorkers('model', path, () => undefined);
    opened.push(workers);
    await workers.connected;
    const echo = workers.poolOf('echo', { concurrency: 1, blocks: false });
    const wait = workers.poolOf('wait', { concurrency: 2, blocks: false });
    const worker = echo.take();
    expect([echo.free, wait.free]).toEqual([0, 2]);
    expect(echo.take()).toBeUndefined();
    wait.take();
    expect(wait.free).toBe(1);
    if (worker !== undefined) echo.release(worker);
    expect(echo.free).toBe(1);
  });

  test('a worker whose thread is blocked by a call is given no other', async () => {
    const { path } = await serve();
    const workers = connectWorkers('model', path, () => undefined);
    opened.push(workers);
    await workers.connected;
    const [compute, wait] = [
      workers.poolOf('compute', { concurrency: 1, blocks: true }),
      workers.poolOf('wait', WAITING),
    ];
    wait.take();
    const worker = compute.take();
    expect([compute.free, wait.free, wait.take()]).toEqual([0, 0, undefined]);
    if (worker !== undefined) compute.release(worker);
    expect([compute.free, wait.free]).toEqual([1, 8]);
  });

  test('a worker that is gone is found again when it is back; calls wait for it meanwhile', async () => {
    const first = await serve();
    const workers = connectWorkers('model', first.path, () => methods.wake());
    opened.push(workers);
    const metrics = createRunnerMetrics(new MetricsRegistry(), {
      service: 'svc',
      runner: 'model',
      maxBatchSize: 4,
    });
    const methods = new RunnerMethods({ runner: facts, workers, metrics, timeoutMs: undefined });
    await workers.connected;
    first.close();
    await first.model.drain(AbortSignal.abort());
    await expect.poll(() => workers.size).toBe(0);
    const { signal } = new AbortController();
    const answer = methods.run({ method: 'compute', args: [], signal });
    await serve(first.path);
    expect(await answer).toBe(1);
    expect(workers.size).toBe(1);
  });
});

describe('a model server', () => {
  test('a call that is cancelled before its turn never runs', async () => {
    const { path } = await serve();
    const workers = connectWorkers('model', path, () => undefined);
    opened.push(workers);
    await workers.connected;
    const connection = workers.poolOf('wait', WAITING).take()?.connection;
    if (connection === undefined) throw new Error('no worker');
    const abort = new AbortController();
    const calls = ['a', 'b', 'c'].map((name) =>
      connection
        .call('wait', [name], name === 'b' ? { signal: abort.signal } : {})
        .catch((error: unknown) => error),
    );
    abort.abort();
    await expect.poll(() => [...gates.keys()]).toEqual(['a', 'c']);
    for (const open of gates.values()) open();
    expect(await Promise.all(calls)).toMatchObject(['a', { code: 'cancelled' }, 'c']);
  });

  test('a call that is overdue at its turn never runs', async () => {
    const { path } = await serve();
    const workers = connectWorkers('model', path, () => undefined);
    opened.push(workers);
    await workers.connected;
    const connection = workers.poolOf('wait', WAITING).take()?.connection;
    const late = connection?.call('wait', ['late'], { deadline: Date.now() + 1 });
    await expect(late).rejects.toMatchObject({ code: 'deadline_exceeded' });
  });
});
