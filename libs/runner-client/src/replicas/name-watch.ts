import { lookup } from 'node:dns/promises';
import { type BackoffRule, backoffMs } from './backoff.js';

/** Resolves a host name to all of its IP addresses. */
export type ResolveHost = (host: string) => Promise<readonly string[]>;

/** As other programs of the machine resolve names: `/etc/hosts`, then DNS; all A and AAAA records. */
export const resolveBySystem: ResolveHost = async (host) => {
  const found = await lookup(host, { all: true, order: 'verbatim' });
  return found.map(({ address }) => address);
};

/** Options of a {@link NameWatch}. */
export interface NameWatchOptions {
  readonly host: string;
  readonly resolve: ResolveHost;
  /** How often the name is resolved again, spread by a fifth. */
  readonly everyMs: number;
  readonly backoff: BackoffRule;
  /** Called before each look-up; what it gives comes back with the outcome. */
  begin(): number;
  /** What the name stands for now; each once, in a fixed order. */
  onAddresses(ips: readonly string[]): void;
  onFailure(error: unknown, begunAt: number): void;
}

/** Calls may fail by the thousand: no name is asked for more often than this because of them. */
const MIN_INTERVAL_MS = 1000;

/** Keeps looking up what a host name stands for. Keeps no process alive. */
export class NameWatch {
  readonly #options: NameWatchOptions;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Infinity;
  #lastAt = -Infinity;
  #failures = 0;
  #isKnown = false;
  #state: 'idle' | 'looking' | 'waiting' | 'stopped' = 'idle';

  constructor(options: NameWatchOptions) {
    this.#options = options;
  }

  /** Looks up for the first time; nothing when that has begun. */
  start(): void {
    if (this.#state === 'idle') void this.#look();
  }

  /** What is known may be wrong: looks up soon. */
  refresh(): void {
    if (this.#state === 'waiting') this.#schedule(this.#lastAt + MIN_INTERVAL_MS - performance.now());
  }

  stop(): void {
    this.#state = 'stopped';
    clearTimeout(this.#timer);
  }

  async #look(): Promise<void> {
    const { host, resolve, everyMs, backoff } = this.#options;
    this.#state = 'looking';
    const begunAt = this.#options.begin();
    const outcome = await this.#ask(host, resolve);
    if (this.#isStopped()) return;
    this.#lastAt = performance.now();
    this.#state = 'waiting';
    this.#timerAt = Infinity;
    const ips = [...new Set(outcome.ips)].sort();
    this.#failures = ips.length === 0 ? this.#failures + 1 : 0;
    // What was known once is used until something else is known.
    this.#isKnown ||= ips.length > 0;
    const spreadMs = everyMs * (0.8 + 0.4 * backoff.random());
    this.#schedule(this.#isKnown ? spreadMs : backoffMs(this.#failures, backoff));
    if (ips.length > 0) this.#options.onAddresses(ips);
    else this.#options.onFailure(outcome.error, begunAt);
  }

  async #ask(host: string, resolve: ResolveHost): Promise<{ ips: readonly string[]; error?: unknown }> {
    try {
      const ips = await resolve(host);
      return { ips, error: new Error('the host name has no address') };
    } catch (error) {
      return { ips: [], error };
    }
  }

  /** Never later than what was scheduled before. */
  #schedule(delayMs: number): void {
    const at = performance.now() + Math.max(0, delayMs);
    if (at >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = at;
    this.#timer = setTimeout(() => void this.#look(), Math.max(0, delayMs));
    this.#timer.unref();
  }

  #isStopped(): boolean {
    return this.#state === 'stopped';
  }
}
