import { type BackoffRule, backoffMs } from '../replicas/backoff.js';

/**
 * Where a replica stands: `in` for calls like any other; `out`: left out, until its time is over and it answers a
 * question; `trial`: gets one call at a time, whose outcome decides.
 */
export type Standing = 'in' | 'out' | 'trial';

/** When replicas are left out, and how long. */
export interface EjectionRule {
  /** Failures in a row that make an outlier. */
  readonly afterFailures: number;
  /** The first time out, twice as long each next time, up to the longest; at random between the half and all of it. */
  readonly minMs: number;
  readonly maxMs: number;
  readonly random: () => number;
}

/** A replica, as the ejector sees it. */
export interface Candidate {
  readonly health: Health;
  /** Asks whether it would serve calls. */
  probe(): Promise<boolean>;
}

/** What is known of how a replica serves; a record for the {@link Ejector}. */
export class Health {
  standing: Standing = 'in';
  /** Calls that were answered well, and calls that were not. */
  served = 0;
  failed = 0;
  /** Failures since the last call that was answered well. */
  inRow = 0;
  /** How often it was left out. */
  ejections = 0;
  /** How many in a row: the time out grows with it. */
  level = 0;
  /** When it came in again. */
  readmittedAtMs = -Infinity;
  /** What all had served when the failures began. */
  servedByAllAtFirst = 0;
  timer: NodeJS.Timeout | undefined;
}

/**
 * Leaves out replicas whose calls fail in a row while others serve theirs. Never more than half of them, and none
 * because all fail alike: that is load, or a mistake of the callers, and fewer replicas would make it worse.
 */
export class Ejector<C extends Candidate> {
  readonly #rule: EjectionRule;
  readonly #candidates: () => readonly C[];
  readonly #onChange: (candidate: C) => void;
  #servedByAll = 0;

  /** `onChange` is told each time that a candidate's standing is another. */
  constructor(rule: EjectionRule, candidates: () => readonly C[], onChange: (candidate: C) => void) {
    this.#rule = rule;
    this.#candidates = candidates;
    this.#onChange = onChange;
  }

  /** A call was answered well. */
  served(candidate: C): void {
    const { health } = candidate;
    this.#servedByAll += 1;
    health.served += 1;
    health.inRow = 0;
    if (health.standing !== 'trial') return;
    health.readmittedAtMs = performance.now();
    this.#move(candidate, 'in');
  }

  /** A call failed, and the replica may be the reason. */
  failed(candidate: C): void {
    const { health } = candidate;
    health.failed += 1;
    if (health.inRow === 0) health.servedByAllAtFirst = this.#servedByAll;
    health.inRow += 1;
    if (health.standing === 'trial' || this.#isOutlier(health)) this.#eject(candidate);
  }

  /** The candidate is none any more. */
  forget({ health }: C): void {
    clearTimeout(health.timer);
  }

  #isOutlier(health: Health): boolean {
    const { afterFailures } = this.#rule;
    if (health.standing !== 'in' || health.inRow < afterFailures) return false;
    // It served none of these: all of them were served by others.
    if (this.#servedByAll - health.servedByAllAtFirst < afterFailures - 1) return false;
    const all = this.#candidates();
    const out = all.filter((candidate) => candidate.health.standing !== 'in').length;
    return out + 1 <= Math.floor(all.length / 2);
  }

  #eject(candidate: C): void {
    const { health } = candidate;
    const { minMs, maxMs, random } = this.#rule;
    const wellForMs = performance.now() - health.readmittedAtMs;
    if (health.standing === 'in' && wellForMs > maxMs) health.level = 0;
    health.level += 1;
    health.ejections += 1;
    const rule: BackoffRule = { minBackoffMs: minMs, maxBackoffMs: maxMs, random };
    const timer = setTimeout(() => void this.#tryAgain(candidate, timer), backoffMs(health.level, rule));
    timer.unref();
    health.timer = timer;
    this.#move(candidate, 'out');
  }

  async #tryAgain(candidate: C, timer: NodeJS.Timeout): Promise<void> {
    const isReady = await candidate.probe();
    const { health } = candidate;
    if (health.timer !== timer || health.standing !== 'out') return;
    if (isReady) this.#move(candidate, 'trial');
    else this.#eject(candidate);
  }

  #move(candidate: C, standing: Standing): void {
    const before = candidate.health.standing;
    candidate.health.standing = standing;
    if (before !== standing) this.#onChange(candidate);
  }
}
