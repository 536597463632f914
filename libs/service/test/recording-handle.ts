import type { HandleCallOptions, RunnerHandle, RunnerValue } from '../src/index.js';

/** A call as the handle saw it. */
export interface RecordedCall {
  readonly method: string;
  readonly args: readonly RunnerValue[];
  readonly options: HandleCallOptions;
}

/** A handle without a runner: answers each call with its first argument, and remembers what it was told. */
export class RecordingHandle implements RunnerHandle {
  last: RecordedCall | undefined;

  run(method: string, args: readonly RunnerValue[], options: HandleCallOptions): Promise<RunnerValue> {
    this.last = { method, args, options };
    return Promise.resolve(args[0]);
  }

  async *stream(
    method: string,
    args: readonly RunnerValue[],
    options: HandleCallOptions,
  ): AsyncGenerator<RunnerValue> {
    this.last = { method, args, options };
    yield* args;
  }

  isReady(): Promise<boolean> {
    return Promise.resolve(true);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
