import { batchable, createRunner, method, type RunnerFacts, Tensor } from '@bentots/service';
import { createRunnerMetrics, MetricsRegistry } from '@bentots/telemetry';
import { afterEach, describe, expect, test } from 'vitest';
import { connectWorkers, serveModel } from '../test/local-workers.js';
import type { MethodCall } from './method-call.js';
import { RunnerMethods } from './runner-methods.js';

/** Generators that have ended. */
const ended: string[] = [];

class Model {
  static readonly methods = {
    negate: batchable({ batchDim: [1, 0] }),
    drop: batchable(),
    never: method(),
    letters: method(),
  };

  /** Columns in, rows out. */
  negate(columns: Tensor<'float32'>): Tensor<'float32'> {
    return new Tensor(
      'float32',
      columns.data.map((x) => -x),
      [columns.shape[1] ?? 0, columns.shape[0] ?? 0],
    );
  }

  /** Loses a row. */
  drop(rows: Tensor): Tensor {
    return rows.slice(1, rows.shape[0] ?? 0);
  }

  never(): Promise<null> {
    return new Promise(() => undefined);
  }

  async *letters(): AsyncGenerator<string> {
    try {
      for (const letter of 'abc') yield letter;
    } finally {
      ended.push('letters');
    }
  }
}

const opened: { close(): void }[] = [];
afterEach(() => {
  for (const each of opened.splice(0)) each.close();
});

async function open(timeoutMs?: number): Promise<RunnerMethods> {
  const facts: RunnerFacts = createRunner(Model, { name: 'model' }).definition;
  const metrics = createRunnerMetrics(new MetricsRegistry(), {
    service: 'svc',
    runner: 'model',
    maxBatchSize: 100,
  });
  const model = await serveModel(facts);
  const workers = connectWorkers('model', model.path, () => methods.wake());
  opened.push(workers, model);
  const methods = new RunnerMethods({ runner: facts, workers, metrics, timeoutMs });
  return methods;
}
const call = (
  name: string,
  args: MethodCall['args'] = [],
  signal = new AbortController().signal,
): MethodCall => {
  return { method: name, args, signal };
};

describe('the methods of a runner', () => {
  test('cut results along the output dimension, which may differ from that of the input', async () => {
    const methods = await open();
    const columns = (...values: number[]): Tensor => Tensor.from([values]);
    const results = await Promise.all([[1], [2, 3]].map((v) => methods.run(call('negate', [columns(...v)]))));
    expect(JSON.parse(JSON.stringify(results))).toEqual([[[-1]], [[-2], [-3]]]);
  });

  test('a result with another number of rows fails the call, naming both', async () => {
    const methods = await open();
    await expect(methods.run(call('drop', [Tensor.from([1, 2, 3])]))).rejects.toMatchObject({
      code: 'internal',
      message: 'the result has 2 rows for a batch of 3; one per row is expected',
    });
  });

  test('a call ends at the limit of the runner, or when its caller leaves', async () => {
    const methods = await open(20);
    await expect(methods.run(call('never'))).rejects.toMatchObject({
      code: 'deadline_exceeded',
      message: "method 'never' took longer than the 20 ms that this runner allows",
    });
    await expect(methods.run(call('never', [], AbortSignal.abort()))).rejects.toMatchObject({
      code: 'cancelled',
    });
  });

  test('a stream waits for its taker, and ends the generator when the taker fails', async () => {
    const methods = await open();
    const taken: unknown[] = [];
    const stopped = methods.stream(call('letters'), async (letter) => {
      taken.push(letter);
      if (letter === 'b') throw new Error('no more');
    });
    await expect(stopped).rejects.toThrow('no more');
    expect(taken).toEqual(['a', 'b']);
    expect(ended).toEqual(['letters']);
  });

  test('a method is called in its own way', async () => {
    const methods = await open();
    const hint = "method 'never' of runner 'model' answers once; it cannot be streamed";
    await expect(methods.stream(call('never'), async () => undefined)).rejects.toThrow(hint);
    await expect(methods.run(call('letters'))).rejects.toThrow('streams; it cannot be called for one answer');
  });

  test('a closed runner takes no more calls', async () => {
    const methods = await open();
    await methods.close();
    await expect(methods.run(call('negate', [Tensor.from([[1]])]))).rejects.toMatchObject({
      code: 'unavailable',
    });
  });
});
