import { type BatchFacts, Dispatcher } from '@bentots/batching';
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
import type { CallEnd } from './method-call.js';
import type { RunnableHost } from './runnable-host.js';

/** What a {@link BatchedMethod} is made of. */
export interface BatchedMethodInit {
  readonly runner: string;
  readonly method: string;
  readonly spec: RunnerMethodSpec;
  readonly host: RunnableHost;
  onBatch(facts: BatchFacts): void;
}

/** A batchable method: its calls wait in one queue and run together. */
export class BatchedMethod {
  readonly #dispatcher: Dispatcher<BatchArgs, BatchOutput>;
  readonly #spec: RunnerMethodSpec;

  constructor({ runner, method, spec, host, onBatch }: BatchedMethodInit) {
    const { inputBatchDim, outputBatchDim, maxBatchSize, maxLatencyMs } = spec;
    this.#spec = spec;
    this.#dispatcher = new Dispatcher<BatchArgs, BatchOutput>({
      name: `${runner}.${method}`,
      maxBatchSize,
      maxLatencyMs,
      rowsOf: (args) => countRows(args, inputBatchDim),
      kindOf: (args) => kindOfArgs(args, inputBatchDim),
      split: (args, maxRows) => splitArgs(args, inputBatchDim, maxRows),
      join: (outputs) => joinOutputs(outputs, outputBatchDim),
      async execute(calls, signal) {
        const counts = calls.map((args) => countRows(args, inputBatchDim));
        const rows = counts.reduce((sum, count) => sum + count, 0);
        // Deadline and trace are of one call each; a batch has only its end, when nobody waits any more.
        const context = { signal, deadline: undefined, traceparent: undefined };
        const result = await host.call(method, joinArgs(calls, inputBatchDim), context);
        return sliceOutput(checkBatchOutput(result, outputBatchDim, rows), outputBatchDim, counts);
      },
      onBatch,
    });
  }

  /** Runs one call, together with others where that pays. */
  async run(args: readonly RunnerValue[], end: CallEnd): Promise<RunnerValue> {
    const { signal, deadline } = end;
    const checked = checkBatchArgs(args, this.#spec.inputBatchDim);
    const options = { signal, ...(deadline !== undefined && { deadline }) };
    const { output } = await this.#dispatcher.submit(checked, options);
    return valueOf(output);
  }

  /** Rows that wait. */
  get queuedRows(): number {
    return this.#dispatcher.queuedRows;
  }

  /** Runs what waits and takes no more. */
  close(): Promise<void> {
    return this.#dispatcher.close();
  }
}
