import {
  type Answer,
  type BatchFacts,
  Dispatcher,
  type RefusalReason,
  type WorkerPool,
} from '@bentots/batching';
import { ServeError } from '@bentots/errors';
import { progressOf } from '@bentots/runner-wire';
import type { RunnerMethodSpec, RunnerValue } from '@bentots/service';
import {
  type BatchArgs,
  type BatchOutput,
  checkBatchArgs,
  checkBatchOutput,
  countRows,
  joinArgs,
  joinOutputs,
  kindOfArgs,
  sliceOutput,
  splitArgs,
  valueOf,
} from './batch-call.js';
import { countBytes } from './count-bytes.js';
import { withoutStack } from './failure-stack.js';
import type { CallEnd, MethodCall } from './method-call.js';
import type { RunnerWorker } from './runner-workers.js';

/** What a queue is made of. */
export interface MethodQueueInit {
  readonly runner: string;
  readonly method: string;
  readonly spec: RunnerMethodSpec;
  readonly workers: WorkerPool<RunnerWorker>;
  onBatch(facts: BatchFacts<RunnerWorker>): void;
  onRefused(reason: RefusalReason): void;
}

/** Takes one value of a stream; the next one comes when it resolves. */
export type TakeValue = (value: RunnerValue) => Promise<void>;

/** The calls of one method that wait for a worker. */
export interface MethodQueue {
  readonly dispatcher: Pick<
    Dispatcher<unknown, unknown, RunnerWorker>,
    'wake' | 'close' | 'oldestSince' | 'queuedRows' | 'queuedBytes' | 'cost'
  >;
  /** Resolves to the answer; to undefined, when it was given to `take` value by value. */
  run(call: MethodCall, end: CallEnd, take?: TakeValue): Promise<RunnerValue>;
}

/** The queue of a batchable method: its calls run together. */
export function createBatchQueue(init: MethodQueueInit): MethodQueue {
  const { method, spec } = init;
  const { inputBatchDim, outputBatchDim, maxBatchSize, maxLatencyMs } = spec;
  const dispatcher = new Dispatcher<BatchArgs, BatchOutput, RunnerWorker>({
    ...planQueue(init),
    maxBatchSize,
    maxLatencyMs,
    rowsOf: (args) => countRows(args, inputBatchDim),
    kindOf: (args) => kindOfArgs(args, inputBatchDim),
    bytesOf: countBytes,
    split: (args, maxRows) => splitArgs(args, inputBatchDim, maxRows),
    join: (outputs) => joinOutputs(outputs, outputBatchDim),
    async execute(calls, signal, { connection }) {
      const counts = calls.map((args) => countRows(args, inputBatchDim));
      const rows = counts.reduce((sum, count) => sum + count, 0);
      // Deadline and trace are of one call each; a batch has only its end, when nobody waits any more.
      const result = await connection.call(method, joinArgs(calls, inputBatchDim), { signal });
      return sliceOutput(checkBatchOutput(result, outputBatchDim, rows), outputBatchDim, counts);
    },
  });
  return {
    dispatcher,
    async run(call, end) {
      const args = checkBatchArgs(call.args, inputBatchDim);
      const answer = await submit(dispatcher, args, call, end);
      return valueOf(answer.output);
    },
  };
}

interface SingleCall {
  readonly call: MethodCall;
  readonly end: CallEnd;
  readonly take: TakeValue | undefined;
}

/** The queue of a method whose calls run one by one, or value by value. */
export function createSingleQueue(init: MethodQueueInit): MethodQueue {
  const { method } = init;
  const dispatcher = new Dispatcher<SingleCall, RunnerValue, RunnerWorker>({
    ...planQueue(init),
    maxBatchSize: 1,
    maxLatencyMs: Infinity,
    rowsOf: () => 1,
    bytesOf: ({ call }) => countBytes(call.args),
    async execute([single], signal, { connection }) {
      if (single === undefined) return [];
      const { call, end, take } = single;
      const options = { signal, deadline: end.deadline, traceparent: call.traceparent };
      if (take === undefined) return [await connection.call(method, call.args, options)];
      for await (const value of connection.stream(method, call.args, options)) await take(value);
      return [undefined];
    },
  });
  return {
    dispatcher,
    async run(call, end, take) {
      return (await submit(dispatcher, { call, end, take }, call, end)).output;
    },
  };
}

function planQueue({ runner, method, spec, workers, onBatch, onRefused }: MethodQueueInit) {
  return {
    name: `${runner}.${method}`,
    workers,
    verdictOn,
    retryLost: spec.idempotent && !spec.stream,
    onBatch,
    onRefused,
  };
}

/** What became of a batch that failed: the model's own failure, or its worker's. */
function verdictOn(error: unknown): 'failed' | 'not_started' | 'lost' {
  const progress = progressOf(error);
  if (progress === undefined) return 'failed';
  return progress === 'not_started' ? 'not_started' : 'lost';
}

async function submit<I, O>(
  dispatcher: Dispatcher<I, O, RunnerWorker>,
  item: I,
  call: MethodCall,
  { signal, deadline }: CallEnd,
): Promise<Answer<O>> {
  try {
    const { priority } = call;
    const answer = await dispatcher.submit(item, {
      signal,
      ...(deadline !== undefined && { deadline }),
      ...(priority !== undefined && { priority }),
    });
    call.timing?.(answer.timing);
    return answer;
  } catch (error) {
    throw error instanceof ServeError ? withoutStack(error) : error;
  }
}
