import type { SupervisorEvent } from '../events.js';
import type { TimedEvent } from './protocol.js';

/** The last events of a tree, and those who are told the next ones. */
export class EventLog {
  #kept: TimedEvent[] = [];
  #seq = 0;
  readonly #followers = new Set<(event: TimedEvent) => void>();

  constructor(private readonly limit: number) {}

  add(event: SupervisorEvent): void {
    this.#seq += 1;
    const timed = { seq: this.#seq, at: new Date().toISOString(), event };
    this.#kept = [...this.#kept.slice(1 - this.limit), timed];
    for (const tell of [...this.#followers]) tell(timed);
  }

  /** The newest `count`, in the order they happened. */
  last(count: number): readonly TimedEvent[] {
    return count === 0 ? [] : this.#kept.slice(-count);
  }

  /** Tells every event from now on; returns what ends it. */
  follow(tell: (event: TimedEvent) => void): () => void {
    this.#followers.add(tell);
    return () => this.#followers.delete(tell);
  }
}
