import { ServeError } from '@bentots/errors';
import { formatAddress, type RunnerAddress } from '@bentots/runner-map';
import { type ClientConnection, type Hello, progressOf } from '@bentots/runner-wire';
import type { HandleCallOptions, RunnerHandle, RunnerValue } from '@bentots/service';
import { Channel, type ChannelOwner } from './channel.js';
import {
  compileClientOptions,
  type RunnerClientConfig,
  type RunnerClientOptions,
} from './compile-options.js';
import { pickLeast } from './pick.js';
import { RemoteStream } from './remote-stream.js';
import { WaitingRoom } from './waiting-room.js';

/**
 * A handle to the runner `name` at its replicas. Nothing is connected before the first call or question for readiness;
 * from then on each replica has as many connections as it has workers, and lost ones come back by themselves.
 *
 * A call goes to the connection with the least work in flight. One that failed before any of it ran is made once more
 * on another connection, within its deadline; one that may have run only when it is idempotent.
 */
export function connectRunner(
  name: string,
  addresses: readonly RunnerAddress[],
  options: RunnerClientOptions = {},
): RunnerHandle {
  if (addresses.length === 0) {
    throw new ServeError('runner_map_invalid', `runner '${name}' has no address; expected at least one`);
  }
  return new RemoteHandle(name, addresses, compileClientOptions(options));
}

class RemoteHandle implements RunnerHandle, ChannelOwner {
  readonly runner: string;
  readonly config: RunnerClientConfig;
  readonly #addresses: readonly RunnerAddress[];
  readonly #channels: Channel[];
  readonly #waiting = new WaitingRoom();
  /** The connections that calls can be made on, with the work in flight on each. */
  #open: readonly ClientConnection[] = [];
  #turn = 0;
  #events = 0;
  #lastError: ServeError | undefined;
  #closing: Promise<void> | undefined;

  constructor(runner: string, addresses: readonly RunnerAddress[], config: RunnerClientConfig) {
    this.runner = runner;
    this.config = config;
    this.#addresses = addresses;
    this.#channels = addresses.map((address) => new Channel(this, address));
    // So that many API workers do not all begin with the same runner worker.
    this.#turn = Math.floor(config.random() * 64);
  }

  run(method: string, args: readonly RunnerValue[], options: HandleCallOptions): Promise<RunnerValue> {
    const connection = this.#pick();
    if (connection !== undefined) return this.#attempt(connection, method, args, options);
    return this.connection(options).then((opened) => this.#attempt(opened, method, args, options));
  }

  stream(
    method: string,
    args: readonly RunnerValue[],
    options: HandleCallOptions,
  ): AsyncIterableIterator<RunnerValue, undefined> {
    return new RemoteStream(this, method, args, options);
  }

  async isReady(signal: AbortSignal): Promise<boolean> {
    try {
      await this.connection({ signal });
    } catch {
      return false;
    }
    const asked = this.#open.map((connection) => connection.ping(signal));
    // The first that is ready decides; all must have answered for a no.
    const ready = asked.map((answer) =>
      answer.then((yes) => (yes ? yes : Promise.reject(new Error('not ready')))),
    );
    return Promise.any(ready).catch(() => false);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** A connection to make a call on, another than `tried` if there is one; waits for it if need be. */
  connection(options: HandleCallOptions, tried?: ClientConnection): Promise<ClientConnection> {
    if (this.#closing !== undefined) return Promise.reject(this.#closedError());
    const connection = this.#pick(tried);
    if (connection !== undefined) return Promise.resolve(connection);
    for (const channel of this.#channels) channel.start();
    return this.#waiting.wait(this.#events, {
      signal: options.signal,
      deadline: options.deadline,
      timeoutMs: this.config.connectTimeoutMs,
      tooLate: (bound) => this.#tooLate(bound),
    });
  }

  /** Whether a call that failed so may be made again. */
  mayRepeat(error: unknown, options: HandleCallOptions): boolean {
    const progress = progressOf(error);
    const safe = progress === 'not_started' || (progress === 'unknown' && options.idempotent === true);
    return safe && this.#closing === undefined;
  }

  onOpen(channel: Channel, hello: Hello): void {
    this.#events += 1;
    this.#grow(channel, hello.workers);
    this.#collectOpen();
    this.#waiting.admit(() => this.#pick());
  }

  onFailure(channel: Channel, error: ServeError): void {
    this.#events += 1;
    channel.failedAt = this.#events;
    this.#lastError = error;
    // A call has waited long enough when every replica was tried since it came.
    const triedSince = Math.min(...this.#channels.map(({ failedAt }) => failedAt));
    this.#waiting.refuse(triedSince, () => copyOf(error));
  }

  onDown(): void {
    this.#events += 1;
    this.#collectOpen();
  }

  #attempt(
    connection: ClientConnection,
    method: string,
    args: readonly RunnerValue[],
    options: HandleCallOptions,
  ): Promise<RunnerValue> {
    return connection.call(method, args, options).catch(async (error: unknown) => {
      if (!this.mayRepeat(error, options)) throw error;
      const other = await this.connection(options, connection).catch(() => undefined);
      if (other === undefined) throw error;
      return other.call(method, args, options);
    });
  }

  #pick(tried?: ClientConnection): ClientConnection | undefined {
    const open =
      tried === undefined || this.#open.length < 2 ? this.#open : this.#open.filter((c) => c !== tried);
    const index = pickLeast(open, this.#turn);
    const connection = open[index];
    if (connection === undefined) return undefined;
    this.#turn = index + 1;
    if (connection.isAccepting) return connection;
    // It has ended in this very turn, and its channel does not know yet.
    this.#collectOpen();
    return this.#pick(tried);
  }

  #collectOpen(): void {
    this.#open = this.#channels.flatMap(({ connection }) => connection ?? []);
  }

  /** As many channels to an address as it has workers, within the limit. */
  #grow(channel: Channel, workers: number): void {
    const most = Math.max(1, Math.floor(this.config.maxConnections / this.#addresses.length));
    const siblings = this.#channels.filter(({ address }) => address === channel.address).length;
    for (let count = siblings; count < Math.min(workers, most); count += 1) {
      const sibling = new Channel(this, channel.address);
      this.#channels.push(sibling);
      sibling.start();
    }
  }

  async #close(): Promise<void> {
    this.#waiting.refuse(Infinity, () => this.#closedError());
    const signal = AbortSignal.timeout(this.config.closeTimeoutMs);
    await Promise.all(this.#channels.map((channel) => channel.close(signal)));
  }

  #closedError(): ServeError {
    return new ServeError(
      'unavailable',
      `the connection to runner '${this.runner}' is closed in this process`,
    );
  }

  #tooLate(bound: 'deadline' | 'timeout'): ServeError {
    const over = bound === 'deadline';
    if (!over && this.#lastError !== undefined) return copyOf(this.#lastError);
    const places = this.#addresses.map(formatAddress).join(', ');
    return new ServeError(
      over ? 'deadline_exceeded' : 'unavailable',
      `runner '${this.runner}' could not be reached in time at ${places}`,
      { details: { runner: this.runner } },
    );
  }
}

/** One failure of a connection fails many calls; each gets an error of its own. */
function copyOf(error: ServeError): ServeError {
  const details = error.details === undefined ? {} : { details: error.details };
  return new ServeError(error.code, error.message, { ...details, cause: error });
}
