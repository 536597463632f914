import { ServeError } from '@bentots/errors';

/** What a worker knows of its runners and of itself. */
export interface ReadinessSource {
  /** Whether the server is stopping. */
  isDraining(): boolean;
  /** Each runner's readiness by name. */
  readiness(signal: AbortSignal): Promise<Readonly<Record<string, boolean>>>;
}

/** Longer than any probe of a runner may take. */
const PROBE_LIMIT_MS = 5_000;

/**
 * Resolves when the worker can serve every API, or those that need no more than `needed`; rejects with `unavailable`, and
 * nothing else, naming the runners that are down.
 */
export async function checkReadiness(source: ReadinessSource, needed?: readonly string[]): Promise<void> {
  if (source.isDraining()) throw new ServeError('unavailable', 'the server is stopping');
  const runners = await probe(source);
  const down = Object.keys(runners).filter((name) => {
    return runners[name] !== true && (needed === undefined || needed.includes(name));
  });
  if (down.length === 0) return;
  const names = down.map((name) => `'${name}'`).join(', ');
  const what = down.length === 1 ? `runner ${names} is` : `runners ${names} are`;
  throw new ServeError('unavailable', `${what} not ready`, { details: { runners } });
}

async function probe(source: ReadinessSource): Promise<Readonly<Record<string, boolean>>> {
  try {
    return await source.readiness(AbortSignal.timeout(PROBE_LIMIT_MS));
  } catch (cause) {
    throw new ServeError('unavailable', 'the runners could not be asked whether they are ready', { cause });
  }
}
