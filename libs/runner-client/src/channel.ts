import { ServeError } from '@bentots/errors';
import { formatAddress, type RunnerAddress } from '@bentots/runner-map';
import type { ClientConnection, Hello } from '@bentots/runner-wire';
import { backoffMs } from './backoff.js';
import type { RunnerClientConfig } from './compile-options.js';
import { openConnection } from './open-connection.js';

/** Where a channel stands: `waiting` is the pause before the next attempt. */
export type ChannelState = 'idle' | 'connecting' | 'open' | 'waiting' | 'closed';

/** What a channel tells its owner. */
export interface ChannelOwner {
  readonly runner: string;
  readonly config: RunnerClientConfig;
  /** Calls can be made. */
  onOpen(channel: Channel, hello: Hello): void;
  /** An attempt to connect has failed. */
  onFailure(channel: Channel, error: ServeError): void;
  /** The connection takes no calls any more; another is being made. */
  onDown(channel: Channel): void;
}

/**
 * Keeps one connection to one address: connects when started, again when it is lost, after a pause when that fails.
 *
 * idle → connecting → open → connecting …; connecting → waiting → connecting; any → closed
 */
export class Channel {
  readonly address: RunnerAddress;
  /** When its last attempt failed, counted in events of its owner. */
  failedAt = -1;
  readonly #owner: ChannelOwner;
  readonly #leaving = new Set<ClientConnection>();
  #state: ChannelState = 'idle';
  #connection: ClientConnection | undefined;
  #failures = 0;
  #openedAt = 0;
  #pause: NodeJS.Timeout | undefined;
  readonly #closing = new AbortController();

  constructor(owner: ChannelOwner, address: RunnerAddress) {
    this.#owner = owner;
    this.address = address;
  }

  get state(): ChannelState {
    return this.#state;
  }

  /** The connection, when calls can be made on it. */
  get connection(): ClientConnection | undefined {
    return this.#connection?.isAccepting === true ? this.#connection : undefined;
  }

  /** Calls in flight on it. */
  get inFlight(): number {
    return this.#connection?.inFlight ?? 0;
  }

  /** Begins to connect, unless it has. */
  start(): void {
    if (this.#state === 'idle') void this.#connect();
  }

  /** Ends for good: waits for the calls in flight until `signal` aborts, then fails them. */
  async close(signal: AbortSignal): Promise<void> {
    this.#state = 'closed';
    clearTimeout(this.#pause);
    this.#closing.abort();
    await Promise.all([...this.#leaving].map((connection) => connection.close(signal)));
  }

  async #connect(): Promise<void> {
    this.#state = 'connecting';
    const attempt: { connection?: ClientConnection } = {};
    const { runner, config } = this.#owner;
    try {
      const { connection, hello } = await openConnection({
        runner,
        config,
        address: this.address,
        signal: this.#closing.signal,
        onGoAway: () => this.#onDown(attempt.connection, undefined),
      });
      attempt.connection = connection;
      this.#leaving.add(connection);
      void connection.closed.then((error) => {
        this.#leaving.delete(connection);
        this.#onDown(connection, error);
      });
      this.#onOpened(connection, hello);
    } catch (error) {
      this.#onFailed(ServeError.from(error));
    }
  }

  #onOpened(connection: ClientConnection, hello: Hello): void {
    if (this.#isClosed()) return connection.destroy();
    this.#state = 'open';
    this.#connection = connection;
    this.#openedAt = Date.now();
    this.#owner.config.log.info(
      `connected to runner '${this.#owner.runner}'`,
      this.#facts({ worker: hello.worker }),
    );
    this.#owner.onOpen(this, hello);
  }

  #onFailed(error: ServeError): void {
    if (this.#isClosed()) return;
    this.#failures += 1;
    if (this.#failures === 1) this.#owner.config.log.warn(error.message, this.#facts({ code: error.code }));
    this.#owner.onFailure(this, error);
    this.#again();
  }

  /** The connection is lost or goes away: calls in flight may still end, a new connection is made at once. */
  #onDown(connection: ClientConnection | undefined, error: ServeError | undefined): void {
    if (connection === undefined || this.#connection !== connection) return;
    this.#connection = undefined;
    if (this.#isClosed()) return;
    if (error !== undefined) this.#owner.config.log.warn(error.message, this.#facts({ code: error.code }));
    // A runner that takes connections only to drop them is one that fails.
    const lastedMs = Date.now() - this.#openedAt;
    this.#failures = lastedMs < this.#owner.config.maxBackoffMs ? this.#failures + 1 : 0;
    this.#owner.onDown(this);
    this.#again();
  }

  #again(): void {
    const pauseMs = backoffMs(this.#failures, this.#owner.config);
    this.#state = 'waiting';
    this.#pause = setTimeout(() => void this.#connect(), pauseMs);
    // An idle client keeps no process alive; calls that wait for a connection have timers of their own.
    this.#pause.unref();
  }

  #isClosed(): boolean {
    return this.#state === 'closed';
  }

  #facts(more: Readonly<Record<string, unknown>>): Record<string, unknown> {
    return { runner: this.#owner.runner, address: formatAddress(this.address), ...more };
  }
}
