/** The longest a Node timer can wait. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** What a {@link Heartbeat} watches, and whom it tells. */
export interface HeartbeatOptions {
  /** Silence after which the peer is asked, and then how long each answer may take; 0 or `Infinity`: never asked. */
  readonly heartbeatMs: number;
  /** Unanswered questions after which the peer counts as dead. */
  readonly maxMissedBeats: number;
  /** Bytes that have come so far. */
  received(): number;
  /** Bytes that are being sent: as long as the peer's host takes some, it lives, even if a question is behind them. */
  unsent(): number;
  ask(): void;
  onMissed(): void;
  /** The peer has not answered so many questions for so long. */
  onDead(missed: number, silentMs: number): void;
}

/** Finds out that a peer is dead: by its silence, even to questions. */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #timer: NodeJS.Timeout | undefined;
  #received = 0;
  #unsent = 0;
  #missed = 0;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    const { heartbeatMs } = options;
    if (!(heartbeatMs > 0 && heartbeatMs <= MAX_TIMER_MS)) return;
    this.#timer = setInterval(() => this.#onBeat(), heartbeatMs);
    this.#timer.unref();
  }

  /** Asks and tells nothing any more. */
  stop(): void {
    clearInterval(this.#timer);
  }

  #onBeat(): void {
    const { maxMissedBeats, ask, onMissed } = this.#options;
    if (this.#isAlive()) {
      this.#missed = 0;
      return;
    }
    if (this.#missed > 0) onMissed();
    if (this.#missed >= maxMissedBeats) {
      // A process that was held up comes to its timers before its sockets: what has arrived by now counts, too.
      setImmediate(() => this.#onSilence());
      return;
    }
    this.#missed += 1;
    // No one waits for the answer: any byte that comes shows that the peer lives.
    ask();
  }

  #onSilence(): void {
    if (this.#isAlive()) this.#missed = 0;
    else this.#options.onDead(this.#missed, this.#options.heartbeatMs * (this.#missed + 1));
  }

  /** Whether there were signs of life since this was last looked at. */
  #isAlive(): boolean {
    const { received, unsent } = this.#options;
    const [receivedNow, unsentNow] = [received(), unsent()];
    const isTaking = this.#unsent > 0 && unsentNow < this.#unsent;
    const isAlive = receivedNow !== this.#received || isTaking;
    this.#received = receivedNow;
    this.#unsent = unsentNow;
    return isAlive;
  }
}
