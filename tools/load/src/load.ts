import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure, type Outcome } from './failure.js';
import { emptyTally, type Tally } from './tally.js';

/** One client: asks one question after the other. */
export interface Asker {
  /** Resolves with the right answer, rejects with a {@link Failure}; gives up when `signal` aborts. */
  ask(signal: AbortSignal): Promise<void>;
  close(): void;
}

/** A request that was not answered rightly. */
export interface Mishap {
  readonly load: string;
  readonly outcome: Exclude<Outcome, 'ok'>;
  readonly message: string;
  /** By `performance.now()`. */
  readonly sentAtMs: number;
  readonly endedAtMs: number;
}

/** Who asks, and how. */
export interface LoadOptions {
  readonly name: string;
  readonly clients: number;
  open(client: number): Asker;
  /** Shortest and longest pause between an answer and the next request. @default none */
  readonly pauseMs?: readonly [number, number];
  /** A client that is refused ends: for the stop of a server that does not come back. @default false */
  readonly endWhenRefused?: boolean;
  /** A request without an end by then is `late`. @default 30000 */
  readonly limitMs?: number;
  onMishap?(mishap: Mishap): void;
}

/** Refused clients of a server that comes back ask again after so long. */
const REFUSED_PAUSE_MS = 25;

/** Clients that ask until they are ended; begins at once. */
export class Load {
  readonly name: string;
  readonly #clients: Promise<unknown>;
  readonly #over = new AbortController();
  #counts: Record<Outcome, number> = { ...emptyTally };
  readonly #waiting = new Set<() => void>();

  constructor(private readonly options: LoadOptions) {
    this.name = options.name;
    // One for each client that pauses.
    setMaxListeners(0, this.#over.signal);
    this.#clients = Promise.all(Array.from({ length: options.clients }, (_, client) => this.#run(client)));
  }

  /** What came of the requests that ended since the beginning, or since the last {@link cut}. */
  get tally(): Tally {
    return { ...this.#counts };
  }

  /** Gives the tally and counts from nothing again. */
  cut(): Tally {
    const tally = this.tally;
    this.#counts = { ...emptyTally };
    return tally;
  }

  /** Resolves when `count` more requests were answered rightly. */
  answered(count: number): Promise<void> {
    const wanted = this.#counts.ok + count;
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.#counts.ok < wanted) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
    });
  }

  /** Resolves when every client was refused and has ended. */
  async allRefused(): Promise<void> {
    await this.#clients;
  }

  /** Ends each client after its request; resolves to the tally. */
  async end(): Promise<Tally> {
    this.#over.abort();
    await this.#clients;
    return this.tally;
  }

  async #run(client: number): Promise<void> {
    const asker = this.options.open(client);
    while (!this.#over.signal.aborted) {
      const outcome = await this.#ask(asker);
      this.#counts[outcome] += 1;
      for (const look of [...this.#waiting]) look();
      if (outcome === 'refused' && this.options.endWhenRefused === true) break;
      await this.#pause(outcome);
    }
    asker.close();
  }

  async #ask(asker: Asker): Promise<Outcome> {
    const { name, limitMs = 30_000, onMishap } = this.options;
    const sentAtMs = performance.now();
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), limitMs);
    try {
      await asker.ask(limit.signal);
      return 'ok';
    } catch (error) {
      const known = error instanceof Failure ? error : new Failure('wrong', String(error));
      const outcome = limit.signal.aborted ? 'late' : known.outcome;
      onMishap?.({ load: name, outcome, message: known.message, sentAtMs, endedAtMs: performance.now() });
      return outcome;
    } finally {
      clearTimeout(timer);
    }
  }

  async #pause(outcome: Outcome): Promise<void> {
    const [least, most] = this.options.pauseMs ?? [0, 0];
    const chosen = least + Math.random() * (most - least);
    const pauseMs = outcome === 'ok' ? chosen : Math.max(chosen, REFUSED_PAUSE_MS);
    if (pauseMs > 0) await sleep(pauseMs, undefined, { signal: this.#over.signal }).catch(() => undefined);
  }
}
