import { ServeError } from '@bentots/errors';
import type { ClientConnection, Hello } from '@bentots/runner-wire';
import type { RunnerClientConfig } from '../compile-options.js';
import { backoffMs } from './backoff.js';
import type { Endpoint } from './endpoint.js';
import { ConnectFailure, openConnection } from './open-connection.js';
import type { Failure } from './trouble.js';

/** Where a channel stands: `waiting` is the pause before the next attempt. */
export type ChannelState = 'idle' | 'connecting' | 'open' | 'waiting' | 'closed';

/** What a channel tells its owner. */
export interface ChannelOwner {
  readonly runner: string;
  readonly config: RunnerClientConfig;
  readonly endpoint: Endpoint;
  /** The number of this moment. */
  tick(): number;
  /** Calls can be made. */
  onOpen(hello: Hello): void;
  /** An attempt to connect has failed. */
  onFailure(failure: Failure): void;
  /** The connection takes no calls any more; another is being made. */
  onDown(): void;
}

/**
 * Keeps one connection to one endpoint: connects when started, again when it is lost, after a pause when that fails.
 *
 * idle → connecting → open → connecting …; connecting → waiting → connecting; any → closed
 */
export class Channel {
  readonly #owner: ChannelOwner;
  readonly #leaving = new Set<ClientConnection>();
  #state: ChannelState = 'idle';
  #connection: ClientConnection | undefined;
  #failures = 0;
  /** When the last attempt began. */
  #begunAtMs = 0;
  #openedAtMs = 0;
  #pause: NodeJS.Timeout | undefined;
  readonly #closing = new AbortController();
  /** Ends what is left after closing. */
  readonly #cut = new AbortController();
  #closed: Promise<unknown> | undefined;

  constructor(owner: ChannelOwner) {
    this.#owner = owner;
  }

  get state(): ChannelState {
    return this.#state;
  }

  /** The connection, when calls can be made on it. */
  get connection(): ClientConnection | undefined {
    return this.#connection?.isAccepting === true ? this.#connection : undefined;
  }

  /** Calls that wait for their answer, on connections that go away, too. */
  get inFlight(): number {
    return [...this.#leaving].reduce((sum, { inFlight }) => sum + inFlight, 0);
  }

  /** Begins to connect, unless it has. */
  start(): void {
    if (this.#state === 'idle') void this.#connect();
  }

  /** Ends for good when the calls in flight have ended, or were failed because a `signal` given to it aborted. */
  async close(signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) this.#cut.abort();
    else signal?.addEventListener('abort', () => this.#cut.abort(), { once: true });
    this.#closed ??= this.#close();
    await this.#closed;
  }

  #close(): Promise<unknown> {
    this.#state = 'closed';
    clearTimeout(this.#pause);
    this.#closing.abort();
    return Promise.all([...this.#leaving].map((connection) => connection.close(this.#cut.signal)));
  }

  async #connect(): Promise<void> {
    this.#state = 'connecting';
    const attempt: { connection?: ClientConnection } = {};
    const { runner, config, endpoint } = this.#owner;
    const begunAt = this.#owner.tick();
    this.#begunAtMs = performance.now();
    try {
      const { connection, hello } = await openConnection({
        runner,
        config,
        endpoint,
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
      const known = error instanceof ConnectFailure ? error : undefined;
      this.#onFailed({
        kind: known?.kind ?? 'wrong',
        error: known?.error ?? ServeError.from(error),
        begunAt,
      });
    }
  }

  #onOpened(connection: ClientConnection, hello: Hello): void {
    if (this.#isClosed()) return connection.destroy();
    this.#state = 'open';
    this.#connection = connection;
    this.#openedAtMs = performance.now();
    this.#owner.config.log.info(
      `connected to runner '${this.#owner.runner}'`,
      this.#facts({ worker: hello.worker }),
    );
    this.#owner.onOpen(hello);
  }

  #onFailed(failure: Failure): void {
    if (this.#isClosed()) return;
    const { error } = failure;
    this.#failures += 1;
    if (this.#failures === 1) this.#owner.config.log.warn(error.message, this.#facts({ code: error.code }));
    this.#owner.onFailure(failure);
    // An attempt that took long was a pause itself.
    this.#again(performance.now() - this.#begunAtMs);
  }

  /** The connection is lost or goes away: calls in flight may still end, a new connection is made at once. */
  #onDown(connection: ClientConnection | undefined, error: ServeError | undefined): void {
    if (connection === undefined || this.#connection !== connection) return;
    this.#connection = undefined;
    if (this.#isClosed()) return;
    if (error !== undefined) this.#owner.config.log.warn(error.message, this.#facts({ code: error.code }));
    // A runner that takes connections only to drop them is one that fails.
    const lastedMs = performance.now() - this.#openedAtMs;
    this.#failures = lastedMs < this.#owner.config.maxBackoffMs ? this.#failures + 1 : 0;
    this.#owner.onDown();
    this.#again(0);
  }

  #again(pausedMs: number): void {
    if (this.#isClosed()) return;
    const pauseMs = Math.max(0, backoffMs(this.#failures, this.#owner.config) - pausedMs);
    this.#state = 'waiting';
    this.#pause = setTimeout(() => void this.#connect(), pauseMs);
    // An idle client keeps no process alive; calls that wait for a connection have timers of their own.
    this.#pause.unref();
  }

  #isClosed(): boolean {
    return this.#state === 'closed';
  }

  #facts(more: Readonly<Record<string, unknown>>): Record<string, unknown> {
    return { runner: this.#owner.runner, address: this.#owner.endpoint.label, ...more };
  }
}
