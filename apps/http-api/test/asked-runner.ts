import { createRunner, type HandleCallOptions, method, type RunnerTiming } from '@bentots/service';

class Model {
  static readonly methods = { ask: method() };
  ask(what: string): string {
    return what;
  }
}

/** What the runner of {@link createAskedRunner} says it did. */
export const TIMING: RunnerTiming = { queueMs: 0, batchMs: 0, inferMs: 0.001, batchRows: 3 };

/** A runner without a process, by its handle: notes how it is asked, says what it did, and answers by `answer`. */
export function createAskedRunner(
  answer: (what: unknown) => Promise<unknown> = (what) => Promise.resolve(what),
) {
  const runner = createRunner(Model, { name: 'model' });
  const asked: HandleCallOptions[] = [];
  runner.definition.bind({
    run: async (_method, [what], options) => {
      asked.push(options);
      const value = (await answer(what)) as string;
      options.onTiming?.(TIMING);
      return value;
    },
    stream: () => {
      throw new Error('not a stream');
    },
    isReady: () => Promise.resolve(true),
    close: () => Promise.resolve(),
  });
  return { runner, asked };
}
