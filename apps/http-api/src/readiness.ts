import { ServeError } from '@bentots/errors';

/** What a worker knows of its runners and of itself. */
export interface ReadinessSource {
  /** Whether the server is stopping. */
  isDraining(): boolean;
  /** Watchers of this server whose workers crash again and again, as `http_api` or `runner:NAME`. */
  crashLooping(): readonly string[];
  /** Each runner's readiness by name. */
  readiness(signal: AbortSignal): Promise<Readonly<Record<string, boolean>>>;
}

/** Longer than any probe of a runner may take. */
const PROBE_LIMIT_MS = 5_000;

/** What the name of a runner's watcher begins with. */
const RUNNER = 'runner:';

/**
 * Resolves when the worker can serve every API, or those that need no more than `needed`; rejects with `unavailable`, and
 * nothing else, naming what crashes again and again, or the runners that are down.
 */
export async function checkReadiness(source: ReadinessSource, needed?: readonly string[]): Promise<void> {
  if (source.isDraining()) throw new ServeError('unavailable', 'the server is stopping');
  checkCrashLoops(source.crashLooping(), needed);
  const runners = await probe(source);
  const down = Object.keys(runners).filter((name) => {
    return runners[name] !== true && (needed === undefined || needed.includes(name));
  });
  if (down.length === 0) return;
  const names = down.map((name) => `'${name}'`).join(', ');
  const what = down.length === 1 ? `runner ${names} is` : `runners ${names} are`;
  throw new ServeError('unavailable', `${what} not ready`, { details: { runners } });
}

function checkCrashLoops(watchers: readonly string[], needed: readonly string[] | undefined): void {
  // An API does not suffer from a runner that it does not call.
  const concerns = (watcher: string): boolean =>
    needed === undefined || !watcher.startsWith(RUNNER) || needed.includes(watcher.slice(RUNNER.length));
  const looping = watchers.filter(concerns);
  if (looping.length === 0) return;
  const names = looping.map((name) => `'${name}'`).join(', ');
  throw new ServeError('unavailable', `workers of ${names} crash again and again: see the server's log`, {
    details: { crashLooping: looping },
  });
}

async function probe(source: ReadinessSource): Promise<Readonly<Record<string, boolean>>> {
  try {
    return await source.readiness(AbortSignal.timeout(PROBE_LIMIT_MS));
  } catch (cause) {
    throw new ServeError('unavailable', 'the runners could not be asked whether they are ready', { cause });
  }
}
