import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServeError } from '@bentots/errors';
import type { ClientConnection } from '@bentots/runner-wire';
import { type RunnerValue, Tensor } from '@bentots/service';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { RunnerTree } from '../test/runner-tree.js';

const row = (...numbers: number[]): Tensor => Tensor.from(numbers);
const numbersOf = (value: RunnerValue): unknown => JSON.parse(JSON.stringify(value));

/** Starts a call without waiting for it; a rejection becomes its value. */
function begin(
  client: ClientConnection,
  method: string,
  args: RunnerValue[],
  options = {},
): Promise<unknown> {
  return client.call(method, args, options).then(numbersOf, (error: unknown) => error);
}

/** All that was sent before on this connection has been taken in by the worker. */
async function batchesSoFar(client: ClientConnection): Promise<unknown> {
  return numbersOf(await client.call('batches', []));
}

test('a runner worker is replaced after the calls that it may serve', async () => {
  const tree = await new RunnerTree('gated', { limits: { maxRequests: 2 } }).start();
  try {
    const client = await tree.client();
    await batchesSoFar(client);
    await batchesSoFar(client);
    const reasons = (): unknown => tree.workers[0]?.restartsByReason;
    await expect.poll(reasons, { timeout: 15_000 }).toEqual({ 'max-requests': 1 });
  } finally {
    await tree.stop();
  }
});

describe('a runner worker at its gate', () => {
  let tree: RunnerTree;
  let client: ClientConnection;

  beforeEach(async () => {
    tree = await new RunnerTree('gated').start();
    client = await tree.client();
  });
  afterEach(async () => {
    await tree.stop();
  });

  test('says who it is and what can be called', async () => {
    expect(await client.hello).toMatchObject({ runner: 'gated', worker: 1, workers: 1, protocol: 1 });
    expect((await client.hello).methods).toContain('double');
  });

  test('runs together what arrives while a batch runs, up to maxBatchSize rows', async () => {
    const first = begin(client, 'hold', [row(0)]);
    await expect.poll(() => batchesSoFar(client)).toEqual([[0]]);
    const others = [1, 2, 3, 4, 5, 6].map((n) => begin(client, 'hold', [row(n)]));
    await client.call('open', []);
    expect(await Promise.all([first, ...others])).toEqual([[0], [1], [2], [3], [4], [5], [6]]);
    expect(await batchesSoFar(client)).toEqual([[0], [1, 2, 3, 4], [5, 6]]);
    await expect.poll(() => tree.sample('bentoml_runner_adaptive_batch_size_sum', 'hold')).toBe(7);
    await expect.poll(() => tree.sample('bentoml_runner_adaptive_batch_size_count', 'hold')).toBe(3);
    await expect.poll(() => tree.sample('bentoml_runner_request_total', '/hold')).toBe(7);
  });

  test('splits a larger call and joins its result', async () => {
    await client.call('open', []);
    expect(await begin(client, 'hold', [row(1, 2, 3, 4, 5)])).toEqual([1, 2, 3, 4, 5]);
    expect(await batchesSoFar(client)).toEqual([[1, 2, 3, 4], [5]]);
  });

  test('takes cancelled and overdue calls out of the queue before they run', async () => {
    const abort = new AbortController();
    const first = begin(client, 'hold', [row(0)]);
    await expect.poll(() => batchesSoFar(client)).toEqual([[0]]);
    const cancelled = begin(client, 'hold', [row(1)], { signal: abort.signal });
    const overdue = begin(client, 'hold', [row(2)], { deadline: Date.now() + 100 });
    const waiting = begin(client, 'hold', [row(3)]);
    abort.abort();
    expect(await cancelled).toMatchObject({ code: 'cancelled' });
    expect(await overdue).toMatchObject({ code: 'deadline_exceeded' });
    await client.call('open', []);
    expect(await Promise.all([first, waiting])).toEqual([[0], [3]]);
    expect(await batchesSoFar(client)).toEqual([[0], [3]]);
  });

  test('ends a generator whose caller has left', async () => {
    for await (const value of client.stream('count', [1_000_000, -1])) if (value === 3) break;
    expect(await client.call('counted', [])).toBeLessThan(100_000);
  });

  test('answers what is in flight when it is stopped, and exits cleanly', async () => {
    const other = await tree.client();
    const held = [begin(client, 'hold', [row(1)]), begin(client, 'slow', [])];
    await expect.poll(() => batchesSoFar(other)).toEqual([[1]]);
    const http = tree.fetch('/slow', '');
    await other.call('batches', []);
    await expect.poll(() => tree.sample('bentoml_runner_request_in_progress', '/slow')).toBe(2);
    const opened = begin(other, 'open', []);
    const stopped = tree.stop();
    expect(await Promise.all([...held, opened])).toEqual([[1], 'done', null]);
    expect(await (await http).json()).toBe('done');
    expect(await stopped).toMatchObject({ exitCode: 0, reason: 'asked' });
  });
});

describe('a runner worker that is about to stop', () => {
  test('says that it is not ready, and serves on by HTTP and by wire', async () => {
    const tree = await new RunnerTree('gated', { lameDuckMs: 3000 }).start();
    const client = await tree.client();
    tree.beginStop();
    await expect.poll(async () => (await tree.fetch('/readyz')).status).toBe(503);
    expect(await (await tree.fetch('/readyz')).json()).toMatchObject({ detail: 'this runner is stopping' });
    expect(await client.ping(AbortSignal.timeout(5000))).toBe(false);
    expect(await begin(client, 'double', [row(2)])).toEqual([4]);
    await tree.stop();
  });

  test('waits for what a client is just sending on a new connection', async () => {
    const tree = await new RunnerTree('gated').start();
    const socket = await tree.socket();
    const stopped = tree.stop();
    await new Promise((resolve) => setTimeout(resolve, 1000));
    socket.write('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1.1 200 /);
    expect(await stopped).toMatchObject({ exitCode: 0 });
  });
});

describe('a runner worker whose calls outlast its grace time', () => {
  test('cuts them off as unavailable, and still exits cleanly', async () => {
    const tree = await new RunnerTree('gated', { graceMs: 3000 }).start();
    const client = await tree.client();
    const calls = [begin(client, 'slow', []), begin(client, 'hold', [row(1)])];
    await expect.poll(() => batchesSoFar(client)).toEqual([[1]]);
    const report = await tree.stop();
    for (const call of calls) expect(await call).toMatchObject({ code: 'unavailable' });
    expect(report).toMatchObject({ exitCode: 0, reason: 'asked' });
  });
});

describe('calls of a runner worker', () => {
  let tree: RunnerTree;
  let client: ClientConnection;

  beforeAll(async () => {
    tree = await new RunnerTree('gated').start();
    client = await tree.client();
  });
  afterAll(async () => {
    await tree.stop();
  });

  test('fails only the guilty call of a batch', async () => {
    const results = await Promise.all([1, -1, 3].map((n) => begin(client, 'double', [row(n)])));
    expect(results[0]).toEqual([2]);
    expect(results[1]).toMatchObject({ code: 'runner_failed', details: { class: 'RangeError' } });
    expect(results[2]).toEqual([6]);
  });

  test('batches named tensors, and cuts named results', async () => {
    const calls = [1, 2].map((n) => begin(client, 'add', [{ a: row(n), b: row(10 * n) }]));
    expect(await Promise.all(calls)).toEqual([
      { sum: [11], rows: ['11'] },
      { sum: [22], rows: ['22'] },
    ]);
    const odd = await begin(client, 'add', [{ a: row(1), b: row(1, 2) }]);
    expect(odd).toMatchObject({ code: 'invalid_argument', message: expect.stringContaining('b') as string });
  });

  test('tells class and message of an error, and goes on', async () => {
    const error = await begin(client, 'fail', []);
    expect(error).toBeInstanceOf(ServeError);
    expect(error).toMatchObject({
      code: 'runner_failed',
      message: "runner 'gated' method 'fail' failed: RangeError: asked to fail",
      details: { runner: 'gated', method: 'fail', class: 'RangeError', message: 'asked to fail' },
    });
    expect(await begin(client, 'double', [row(1)])).toEqual([2]);
  });

  test.each([
    ['nope', [], 'not_found', "runner 'gated' has no method 'nope'; available: hold, double"],
    ['double', ['x'], 'invalid_argument', 'argument 1 is a string'],
    ['count', [1, -1], 'invalid_argument', "method 'count' of runner 'gated' streams"],
  ])('refuses a wrong call of %s with %j', async (method, args, code, message) => {
    const error = await begin(client, method, args);
    expect(error).toMatchObject({ code, message: expect.stringContaining(message) as string });
  });

  test('streams, and tells an error in the middle', async () => {
    const seen: RunnerValue[] = [];
    const read = async (): Promise<void> => {
      for await (const value of client.stream('count', [5, 3])) seen.push(value);
    };
    await expect(read()).rejects.toMatchObject({ code: 'runner_failed', details: { class: 'RangeError' } });
    expect(seen).toEqual([0, 1, 2]);
  });
});

describe('the HTTP door of a runner worker', () => {
  let tree: RunnerTree;

  beforeAll(async () => {
    tree = await new RunnerTree('gated', { timeoutMs: 2000 }).start();
  });
  afterAll(async () => {
    await tree.stop();
  });

  test('answers probes and calls on the port of the wire', async () => {
    for (const probe of ['/livez', '/healthz', '/readyz']) {
      const response = await tree.fetch(probe);
      expect([response.status, await response.text()]).toEqual([200, '\n']);
    }
    const response = await tree.fetch('/double', '[[1, 2], [3, 4]]');
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(await response.json()).toEqual([[2, 4], [6, 8]]); // prettier-ignore
    const lines = await tree.fetch('/count', '{"args": [3, -1]}');
    expect([lines.headers.get('content-type'), await lines.text()]).toEqual([
      'application/x-ndjson',
      '0\n1\n2\n',
    ]);
  });

  test.each([
    ['GET', '/nope', 404, 'not_found'],
    ['POST', '/nope', 404, 'not_found'],
    ['GET', '/', 404, 'not_found'],
    ['GET', '/double', 405, 'method_not_allowed'],
    ['POST', '/livez', 405, 'method_not_allowed'],
    ['POST', '/fail', 500, 'runner_failed'],
    ['POST', '/double', 400, 'invalid_argument'],
    ['POST', '/slow', 504, 'deadline_exceeded'],
  ])('%s %s is answered with %i %s', async (verb, path, status, code) => {
    const response = await tree.fetch(path, verb === 'POST' ? '' : undefined);
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(await response.json()).toMatchObject({ status, code });
  });

  test('ends a stream that fails with a line that says so', async () => {
    const response = await tree.fetch('/count', '{"args": [3, 1]}');
    expect(await response.text()).toMatch(/^0\n\{"error":\{"code":"runner_failed"/);
  });
});

describe('a model that blocks its thread', () => {
  let tree: RunnerTree;
  let client: ClientConnection;
  const folder = mkdtempSync(join(tmpdir(), 'bentots-block-'));

  beforeAll(async () => {
    tree = await new RunnerTree('gated', { workers: 2 }).start();
    client = await tree.client();
  });
  afterAll(async () => {
    await tree.stop();
    rmSync(folder, { recursive: true });
  });

  /** A call that blocks the worker it runs in until `open` is called. */
  async function block(name: string): Promise<{ answer: Promise<unknown>; open(): void }> {
    const file = join(folder, name);
    const answer = begin(client, 'block', [file]);
    await expect.poll(() => existsSync(`${file}.begun`)).toBe(true);
    return { answer, open: () => writeFileSync(file, '') };
  }

  test('keeps nobody else from being served: work goes to the worker that is free', async () => {
    const blocked = await block('one');
    const free = await begin(client, 'who', []);
    const others = await Promise.all([1, 2, 3, 4].map(() => begin(client, 'who', [])));
    expect(new Set([free, ...others]).size).toBe(1);
    blocked.open();
    expect(await blocked.answer).not.toBe(free);
  });

  test('keeps neither health nor metrics nor a cancellation waiting, when every worker computes', async () => {
    const blocked = [await block('two'), await block('three')];
    const probes = await Promise.all(['/livez', '/readyz', '/metrics'].map((path) => tree.fetch(path)));
    expect(probes.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(await client.ping(AbortSignal.timeout(5000))).toBe(true);
    const abort = new AbortController();
    const cancelled = begin(client, 'block', [join(folder, 'never')], { signal: abort.signal });
    const overdue = begin(client, 'block', [join(folder, 'late')], { deadline: Date.now() + 50 });
    expect(await overdue).toMatchObject({ code: 'deadline_exceeded' });
    abort.abort();
    expect(await cancelled).toMatchObject({ code: 'cancelled' });
    // What is asked for after it on the same connection is answered after it.
    expect(await client.ping(AbortSignal.timeout(5000))).toBe(true);
    for (const { open } of blocked) open();
    expect(new Set(await Promise.all(blocked.map(({ answer }) => answer))).size).toBe(2);
    // Had either been begun, it would block a worker now, and leave its mark.
    await Promise.all([1, 2].map(() => begin(client, 'who', [])));
    expect(['never', 'late'].map((name) => existsSync(join(folder, `${name}.begun`)))).toEqual([
      false,
      false,
    ]);
  });
});

describe('a worker that dies of a batch', () => {
  let tree: RunnerTree;
  let client: ClientConnection;

  beforeEach(async () => {
    tree = await new RunnerTree('gated', { workers: 2 }).start();
    client = await tree.client();
  });
  afterEach(async () => {
    await tree.stop();
  });

  test('takes along only the call that kills, where calls may be repeated', async () => {
    const calls = [1, -1, 3].map((n) => begin(client, 'fragile', [row(n)]));
    const [first, guilty, third] = await Promise.all(calls);
    expect([first, third]).toEqual([[1], [3]]);
    expect(guilty).toMatchObject({ code: 'unavailable' });
    expect(await begin(client, 'double', [row(4)])).toEqual([8]);
  });

  test('takes along what ran in it, and nothing that waited, where they may not', async () => {
    const calls = [1, -1].map((n) => begin(client, 'brittle', [row(n)]));
    for (const call of calls) expect(await call).toMatchObject({ code: 'unavailable' });
    const after = await Promise.all([5, 6, 7].map((n) => begin(client, 'brittle', [row(n)])));
    expect(after).toEqual([[5], [6], [7]]);
  });
});

test('calls wait for the next worker when the only one has died', async () => {
  const tree = await new RunnerTree('gated').start();
  try {
    const client = await tree.client();
    tree.kill();
    expect(await begin(client, 'fragile', [row(1)])).toEqual([1]);
  } finally {
    await tree.stop();
  }
});

describe('a runner worker that cannot serve', () => {
  test('tells the runner, its class and the error of a model that does not load', async () => {
    await expect(new RunnerTree('broken').start()).rejects.toMatchObject({
      code: 'worker_not_ready',
      message: expect.stringMatching(
        /Broken of runner 'broken' did not load: TypeError: no such file: model.onnx/,
      ) as string,
    });
  });

  test('names the runners that there are when it is asked for another', async () => {
    await expect(new RunnerTree('nope').start()).rejects.toMatchObject({
      code: 'runner_not_found',
      message: "service 'gated' has no runner 'nope'; available: gated, broken",
    });
  });
});
