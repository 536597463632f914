import { ServeError } from '@bentots/errors';
import { checkRunnerMap, type RunnerMap } from '@bentots/runner-map';
import { type AnyRunner, createLocalHandle, type RunnerHandle, type Service } from '@bentots/service';
import type { RunnerClientOptions } from './compile-options.js';
import { connectRunner, type RemoteRunner } from './remote-handle.js';
import type { RunnerStats } from './stats.js';

/** The runners of a service, connected in this process. */
export interface BoundRunners {
  /**
   * Which runners would serve calls now, by name. All are asked at once, each for a second at most; an answer is good
   * for a quarter of a second. Rejects only when `signal` aborts.
   */
  readiness(signal: AbortSignal): Promise<Readonly<Record<string, boolean>>>;
  /** How each runner that lives elsewhere is reached now, by name. */
  stats(): Readonly<Record<string, RunnerStats>>;
  /** Lets go of all: waits for calls in flight, within a bound. May be called again. */
  close(): Promise<void>;
}

/** Options of {@link bindRunners}. */
export interface BindOptions extends RunnerClientOptions {
  /** How long a runner may take to say that it is ready. @default 1000 */
  readonly probeTimeoutMs?: number | undefined;
  /** How long an answer about readiness is good. @default 250 */
  readonly probeCacheMs?: number | undefined;
}

type Readiness = Readonly<Record<string, boolean>>;

/**
 * Binds every runner of the service, so that its methods can be called in this process: embedded ones are constructed
 * here, the others reached by the addresses of the map.
 *
 * @throws ServeError `runner_map_invalid` when the map lacks a runner; what the constructor of an embedded one throws.
 */
export async function bindRunners(
  service: Service,
  map: RunnerMap,
  options: BindOptions = {},
): Promise<BoundRunners> {
  const runners = [...service.runners.values()].map((runner: AnyRunner) => runner.definition);
  checkRunnerMap(map, { name: service.name, runners });
  const handles = new Map<string, RunnerHandle>();
  const remote: RemoteRunner[] = [];
  const connect = (name: string): RunnerHandle => {
    const handle = connectRunner(name, map.get(name) ?? [], options);
    remote.push(handle);
    return handle;
  };
  const close = async (): Promise<void> => {
    await Promise.all([...handles.values()].map((handle) => handle.close()));
  };
  try {
    for (const facts of runners) {
      const handle = facts.embedded ? await createLocalHandle(facts) : connect(facts.name);
      handles.set(facts.name, handle);
      facts.bind(handle);
    }
  } catch (error) {
    await close();
    throw error;
  }
  const { probeTimeoutMs = 1000, probeCacheMs = 250 } = options;
  const probe = cached(() => askAll(handles, probeTimeoutMs), probeCacheMs);
  const stats = (): Record<string, RunnerStats> =>
    Object.fromEntries(remote.map((handle) => handle.stats()).map((facts) => [facts.runner, facts]));
  return { readiness: (signal) => withSignal(probe(), signal), stats, close };
}

async function askAll(handles: ReadonlyMap<string, RunnerHandle>, timeoutMs: number): Promise<Readiness> {
  const signal = AbortSignal.timeout(timeoutMs);
  const answers = [...handles].map(async ([name, handle]): Promise<[string, boolean]> => {
    return [name, await handle.isReady(signal)];
  });
  return Object.freeze(Object.fromEntries(await Promise.all(answers)));
}

/** Probes come from several places, often at once: they share one question. */
function cached<T>(ask: () => Promise<T>, forMs: number): () => Promise<T> {
  const last: { answer?: Promise<T>; goodUntil: number } = { goodUntil: 0 };
  return () => {
    if (last.answer === undefined || performance.now() > last.goodUntil) {
      last.goodUntil = Infinity;
      last.answer = ask();
      const done = (): void => void (last.goodUntil = performance.now() + forMs);
      last.answer.then(done, done);
    }
    return last.answer;
  };
}

/** The answer, unless its asker leaves first; the question goes on for others. */
function withSignal<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) return Promise.reject(ServeError.from(signal.reason));
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(ServeError.from(signal.reason));
    signal.addEventListener('abort', onAbort, { once: true });
    answer.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
