import { ServeError } from '@bentots/errors';
import { classOf } from './class-of.js';
import { messageOf } from './message-of.js';
import type { RunnerFacts } from './runner.js';

/** Builds a runnable's constructor arguments into an instance; the facts carry them untyped. */
type LooseRunnable = new (...args: readonly unknown[]) => object;

/**
 * Constructs the runnable of a runner and awaits its `init()`.
 *
 * @throws ServeError `worker_not_ready` with the class and the words of the model's own error when it does not load.
 */
export async function createRunnable(facts: RunnerFacts): Promise<object> {
  try {
    // createRunner checked the arguments' types against this very constructor.
    const runnable = facts.runnable as unknown as LooseRunnable;
    const instance = new runnable(...facts.args);
    await callHook(instance, 'init');
    return instance;
  } catch (error) {
    if (error instanceof ServeError) throw error;
    const reason = `${classOf(error)}: ${messageOf(error)}`;
    const what = `runnable ${facts.runnable.name} of runner '${facts.name}'`;
    throw new ServeError('worker_not_ready', `${what} did not load: ${reason}`, {
      cause: error,
      details: { runner: facts.name },
    });
  }
}

/** Calls `dispose()` of a runnable, if it has one. */
export async function disposeRunnable(instance: object): Promise<void> {
  await callHook(instance, 'dispose');
}

async function callHook(instance: object, name: 'init' | 'dispose'): Promise<void> {
  const hook: unknown = Reflect.get(instance, name);
  if (typeof hook === 'function') await hook.call(instance);
}
